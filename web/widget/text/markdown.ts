/**
 * The little Markdown that answers use: paragraphs, line breaks, bold, lists and links. Everything else is text.
 * The result is a tree for the view to build nodes from; markup in a message is never handed to the browser as such.
 */

export type Inline =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "break" }
  | { readonly type: "bold"; readonly content: readonly Inline[] }
  | { readonly type: "link"; readonly href: string; readonly content: readonly Inline[] }
  | { readonly type: "mark"; readonly mark: number };

export type Block =
  | { readonly type: "paragraph"; readonly content: readonly Inline[] }
  | {
      readonly type: "list";
      readonly ordered: boolean;
      readonly start: number;
      readonly items: readonly (readonly Inline[])[];
    };

const SCHEMES = new Set(["http:", "https:", "mailto:", "tel:"]);
const BULLET = /^ {0,3}[-*•] +(.*)$/;
const NUMBER = /^ {0,3}(\d{1,3})[.)、] *(?!\d)(.*)$/;

/** The address if a customer may be sent there, else null. Relative addresses are refused: relative to what? */
export function safeHref(raw: string): string | null {
  try {
    const url = new URL(raw.trim());
    return SCHEMES.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** The same of a source: documents that the server shows have an address on it, such as /sources/x. */
export const sourceHref = (url: string, server: string): string | null =>
  safeHref(/^\/(?![/\\])/.test(url) ? server.replace(/^ws/, "http") + url : url);

// One pass over what may stand inside a line. Hotlines (400-555-0119) can be called. Bare addresses end before closing punctuation, Chinese or Latin.
const TOKEN = new RegExp(
  [
    String.raw`\*\*(?<bold>\S(?:[^\n]*?\S)?)\*\*`,
    String.raw`\[(?<label>[^\[\]\n]+)\]\((?<href>[^\s()]+(?:\([^\s()]*\)[^\s()]*)*)\)`,
    String.raw`\[(?<mark>\d{1,3})\]`,
    String.raw`(?<phone>(?<![\d-])\d{3,4}-\d{3,4}-\d{4}(?![\d-]))`,
    String.raw`(?<bare>https?:\/\/[^\s<>"'，。；：！？、（）【】《》“”]*[^\s<>"'，。；：！？、（）【】《》“”.,;:!?)\]*])`,
  ].join("|"),
  "gu",
);

function link(label: string, raw: string): Inline {
  const href = safeHref(raw);
  const content: Inline = { type: "text", text: label };
  return href ? { type: "link", href, content: [content] } : content;
}

function inlineToken(groups: Record<string, string | undefined>): Inline {
  const { bold, label, href, mark, phone, bare } = groups;
  if (bold !== undefined) return { type: "bold", content: parseInline(bold) };
  if (label !== undefined) return link(label, href ?? "");
  if (mark !== undefined) return { type: "mark", mark: Number(mark) };
  if (phone !== undefined) return link(phone, `tel:${phone.replaceAll("-", "")}`);
  return link(bare ?? "", bare ?? "");
}

export function parseInline(line: string): Inline[] {
  const out: Inline[] = [];
  let from = 0;
  for (const match of line.matchAll(TOKEN)) {
    if (match.index > from) out.push({ type: "text", text: line.slice(from, match.index) });
    out.push(inlineToken(match.groups ?? {}));
    from = match.index + match[0].length;
  }
  if (from < line.length) out.push({ type: "text", text: line.slice(from) });
  return out;
}

const joinLines = (lines: readonly string[]): Inline[] =>
  lines.flatMap((line, i) => (i ? [{ type: "break" } as const, ...parseInline(line)] : parseInline(line)));

interface Item {
  readonly ordered: boolean;
  readonly number: number;
  readonly text: string;
}

function readItem(line: string): Item | null {
  const bullet = BULLET.exec(line);
  if (bullet) return { ordered: false, number: 1, text: bullet[1] ?? "" };
  const number = NUMBER.exec(line);
  return number && { ordered: true, number: Number(number[1]), text: number[2] ?? "" };
}

/** Gathers lines into blocks: a blank line ends a paragraph, a line that begins like an item starts a list. */
export function parseMarkdown(source: string): Block[] {
  const blocks: Block[] = [];
  let lines: string[] = [];
  let items: Item[] = [];
  const flush = () => {
    if (lines.length) blocks.push({ type: "paragraph", content: joinLines(lines) });
    const first = items[0];
    if (first) {
      const content = items.map((item) => parseInline(item.text));
      blocks.push({ type: "list", ordered: first.ordered, start: first.number, items: content });
    }
    lines = [];
    items = [];
  };
  for (const line of source.split("\n")) {
    const item = readItem(line);
    const fits = item ? !lines.length && items[0]?.ordered === item.ordered : !items.length;
    const blank = !line.trim();
    if (!(blank && items.length) && (!fits || blank)) flush();
    if (item) items.push(item);
    else if (!blank) lines.push(line.trimEnd());
  }
  flush();
  return blocks;
}

const plainInline = (inline: Inline): string => {
  if (inline.type === "text") return inline.text;
  if (inline.type === "break") return " ";
  return inline.type === "mark" ? "" : inline.content.map(plainInline).join("");
};

/** The words alone, for previews and for reading aloud. */
export function toPlain(source: string): string {
  const block = (b: Block) =>
    b.type === "paragraph"
      ? b.content.map(plainInline).join("")
      : b.items.map((item) => item.map(plainInline).join("")).join("; ");
  return parseMarkdown(source).map(block).join(" ").replace(/\s+/g, " ").trim();
}
