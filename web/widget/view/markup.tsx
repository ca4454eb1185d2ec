import type { Citation } from "../core/protocol";
import { type Block, type Inline, parseMarkdown } from "../text/markdown";
import { type Child, Fragment, h } from "./dom";
import type { View } from "./ui";

/** The sources of one message: which there are, which cards are open, and how to open one. */
export interface Marks {
  readonly citations: readonly Citation[];
  readonly isOpen: (mark: number) => boolean;
  readonly toggle: (mark: number) => void;
  readonly cardId: (mark: number) => string;
}

type Sourcing = Marks | "coming" | undefined;

function mark(number: number, v: View, marks: Sourcing): Child {
  // The sources of a growing text come with its commit: their numbers already stand where they will.
  if (marks === "coming")
    return (
      <span class="mark">
        <span>{number}</span>
      </span>
    );
  const citation = marks?.citations.find((c) => c.mark === number);
  if (!marks || !citation) return `[${number}]`;
  const open = marks.isOpen(number);
  return (
    <button
      type="button"
      class="mark"
      aria-expanded={open}
      aria-controls={open ? marks.cardId(number) : null}
      aria-label={v.s.source(number, citation.title)}
      onclick={() => marks.toggle(number)}
    >
      <span>{number}</span>
    </button>
  );
}

function link(href: string, content: Child, v: View): Child {
  const away = /^https?:/.test(href);
  return (
    <a href={href} rel="noopener noreferrer" target={away && "_blank"}>
      {content}
      {away && <span class="sr"> ({v.s.newWindow})</span>}
    </a>
  );
}

function inlines(content: readonly Inline[], v: View, marks: Sourcing): Child {
  return content.map((inline) => {
    if (inline.type === "text") return inline.text;
    if (inline.type === "break") return <br />;
    if (inline.type === "mark") return mark(inline.mark, v, marks);
    const inner = inlines(inline.content, v, marks);
    return inline.type === "bold" ? <strong>{inner}</strong> : link(inline.href, inner, v);
  });
}

function block(b: Block, v: View, marks: Sourcing): Child {
  if (b.type === "paragraph") return <p>{inlines(b.content, v, marks)}</p>;
  const items = b.items.map((item) => <li>{inlines(item, v, marks)}</li>);
  return b.ordered ? <ol start={b.start}>{items}</ol> : <ul>{items}</ul>;
}

/** A message's Markdown as nodes. Numbers in brackets become buttons where they name a source. */
export function markup(text: string, v: View, marks?: Sourcing): Child {
  return <>{parseMarkdown(text).map((b) => block(b, v, marks))}</>;
}
