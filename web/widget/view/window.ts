/** How much of a long conversation is drawn: the end of it, and further up as far as the customer reads. */

import type { Message } from "../core/protocol";
import type { View } from "./ui";

/** So many messages are drawn, up to twice as many before the oldest go again; reading up adds so many at a time. */
export const PAGE = 50;
/** Closer to the top than this, what this browser has of earlier messages is drawn too. */
const NEAR_TOP_PX = 240;

const oldest = ({ state }: View): number => state.messages[0]?.seq ?? 1;

export function inView(v: View): readonly Message[] {
  const { ui, state } = v;
  const { messages } = state;
  const page = messages.at(-PAGE);
  if (ui.first > (messages.at(-1)?.seq ?? 0)) ui.first = 0;
  // What is fetched is shown at once, not line by line.
  const first = v.chat.session.fetching ? Math.max(ui.first, ui.had) : ui.first;
  const shown = messages.filter((m) => m.seq >= first);
  if (!ui.follow || !page || shown.length <= 2 * PAGE) return shown;
  ui.first = page.seq;
  return messages.slice(-PAGE);
}

export function hasEarlier(v: View): boolean {
  const { fetching, hasOlder } = v.chat.session;
  return fetching || hasOlder || v.ui.first > oldest(v);
}

/** Draws a page more; what this browser has not kept, the server tells again. */
export function showEarlier(v: View): void {
  const { ui, chat } = v;
  if (chat.session.fetching) return;
  const known = Math.max(ui.first, oldest(v));
  ui.had = oldest(v);
  ui.quiet = v.state.messages.at(-1)?.seq ?? 0;
  if (known - PAGE < oldest(v) && chat.session.hasOlder) chat.session.older();
  ui.follow = false;
  ui.first = Math.max(1, known - PAGE);
  v.redraw();
}

export function scrolledUp(log: Element, v: View): void {
  const { ui } = v;
  if (!ui.follow && log.scrollTop < NEAR_TOP_PX && ui.first > oldest(v)) showEarlier(v);
}

/** Call it before a drawing; what it returns, called afterwards, puts the line that was on top back where it was. */
export function hold(log: HTMLElement | null): () => void {
  const rows = log?.querySelectorAll<HTMLElement>(".row") ?? [];
  const row = [...rows].find((r) => log && r.offsetTop + r.offsetHeight > log.scrollTop);
  const before = row?.offsetTop ?? 0;
  return () => {
    if (log && row?.isConnected) log.scrollTop += row.offsetTop - before;
  };
}
