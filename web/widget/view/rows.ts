/** What stands in the log, top to bottom, as data. Keys stay the same from the first letter to the commit. */

import type { Message, QuickReply } from "../core/protocol";
import type { Draft, Pending, State } from "../core/state";
import { readDate, sameDay } from "../text/when";

export type Row =
  | { readonly kind: "day"; readonly key: string; readonly date: Date }
  | { readonly kind: "message"; readonly key: string; readonly message: Message; readonly first: boolean }
  | { readonly kind: "pending"; readonly key: string; readonly pending: Pending; readonly first: boolean }
  | { readonly kind: "draft"; readonly key: string; readonly draft: Draft };

function messageKey(message: Message, turns: Set<string>): string {
  if (message.id) return `m:${message.id}`;
  if (!message.turn || turns.has(message.turn)) return `s:${message.seq}`;
  turns.add(message.turn);
  return `t:${message.turn}`;
}

export function rows(state: State, now: Date): Row[] {
  const out: Row[] = [];
  const turns = new Set<string>();
  let day: Date | null = null;
  let role = "";
  const startDay = (date: Date) => {
    if (day && sameDay(day, date)) return;
    out.push({ kind: "day", key: `d:${date.toDateString()}`, date });
    day = date;
    role = "";
  };
  for (const message of state.messages) {
    startDay(readDate(message.at));
    out.push({ kind: "message", key: messageKey(message, turns), message, first: role !== message.role });
    role = message.role;
  }
  for (const pending of state.pending) {
    startDay(new Date(pending.at));
    out.push({ kind: "pending", key: `m:${pending.id}`, pending, first: role !== "customer" });
    role = "customer";
  }
  if (state.drafts.length) startDay(now);
  for (const draft of state.drafts) out.push({ kind: "draft", key: `t:${draft.turn}`, draft });
  return out;
}

/** Value of the quick reply that asks for a person (bot/engine/draft.py). */
export const PERSON = "person";

export interface Offer {
  readonly of: number;
  readonly replies: readonly QuickReply[];
  /** A person is offered too: the composer's own button shows it. */
  readonly person: { readonly of: number; readonly label: string } | null;
}

/** The newest offer of quick replies, unless the customer has said something since. */
export function openOffer(state: State): Offer | null {
  if (state.pending.some((p) => p.phase !== "failed")) return null;
  for (let i = state.messages.length - 1; i >= 0; i -= 1) {
    const message = state.messages[i];
    if (!message || message.role === "customer") return null;
    const { seq: of, quick_replies: all } = message;
    const person = all.find((reply) => reply.value === PERSON);
    const replies = all.filter((reply) => reply !== person);
    if (all.length) return { of, replies, person: person ? { of, label: person.label } : null };
  }
  return null;
}

/** The customer has not said anything yet. */
export const isFresh = (state: State): boolean =>
  state.pending.length === 0 && !state.messages.some((m) => m.role === "customer");
