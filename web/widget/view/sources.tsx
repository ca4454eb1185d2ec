import type { Citation, Message } from "../core/protocol";
import { scriptOf } from "../text/language";
import { sourceHref } from "../text/markdown";
import { type Child, h } from "./dom";
import { outIcon, sourceIcon } from "./icons";
import type { Marks } from "./markup";
import type { View } from "./ui";

export function marksOf({ seq, citations }: Message, v: View): Marks {
  const name = (mark: number) => `${seq}:${mark}`;
  const { cards } = v.ui;
  return {
    citations,
    isOpen: (mark) => cards.has(name(mark)),
    cardId: (mark) => `source-${seq}-${mark}`,
    toggle(mark) {
      if (!cards.delete(name(mark))) cards.add(name(mark));
      v.redraw();
    },
  };
}

function card(citation: Citation, id: string, v: View): Child {
  const href = citation.url ? sourceHref(citation.url, v.chat.server) : null;
  return (
    <li class="source" key={citation.mark} id={id} lang={scriptOf(citation.title + citation.snippet)}>
      <p class="source-title">
        <span class="source-mark">{citation.mark}</span>
        {citation.title}
      </p>
      {citation.snippet && <p class="source-text">{citation.snippet}</p>}
      {href && (
        <a href={href} target="_blank" rel="noopener noreferrer" lang={v.s.locale}>
          {v.s.openSource}
          {outIcon}
          <span class="sr">({v.s.newWindow})</span>
        </a>
      )}
    </li>
  );
}

/** The cards that are open, quietly under their message. */
export function sources(marks: Marks, v: View): Child {
  const open = marks.citations.filter((c) => marks.isOpen(c.mark));
  return open.length > 0 && <ul class="sources">{open.map((c) => card(c, marks.cardId(c.mark), v))}</ul>;
}

/** Opens all, or closes all once all are open. */
export function sourcesButton(marks: Marks, v: View): Child {
  const { citations, isOpen, toggle } = marks;
  if (citations.length === 0) return null;
  const allOpen = citations.every((c) => isOpen(c.mark));
  const onclick = () => {
    for (const { mark } of citations) if (isOpen(mark) === allOpen) toggle(mark);
  };
  return (
    <button type="button" class="quiet" aria-expanded={allOpen} onclick={onclick}>
      {sourceIcon}
      {v.s.sources(citations.length)}
    </button>
  );
}
