/** What the customer sees, as one value and one pure function. No DOM, no network, no clock. */

import { type Bot, MAX_TEXT, type Message, type ServerFrame, type Status, type Vote } from "./protocol";

/** `connecting` is the first attempt; `reconnecting` and `offline` come after a loss. */
export type Link = "idle" | "connecting" | "online" | "reconnecting" | "offline";
export type Notice = "expired" | "forgotten";

/** A message of the customer's that the server has not accepted yet. */
export interface Pending {
  readonly id: string;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly choice?: { readonly of: number; readonly value: string };
  readonly phase: "queued" | "sending" | "waiting" | "failed";
  /** `waiting`: when it goes out again, milliseconds since 1970. */
  readonly until?: number;
  /** `failed`: the error code. */
  readonly reason?: string;
}

/** Provisional text of a turn; gone without a trace when the turn is committed, withdrawn or the link is lost. */
export interface Draft {
  readonly turn: string;
  readonly attempt: number;
  readonly text: string;
}

export interface State {
  readonly link: Link;
  readonly conversation: string | null;
  readonly status: Status;
  readonly bot: Bot | null;
  readonly maxText: number;
  /** Committed, by rising `seq`. */
  readonly messages: readonly Message[];
  /** Everything up to here is known: what `hello` reports. */
  readonly lastSeq: number;
  readonly readSeq: number;
  readonly seenSeq: number;
  readonly pending: readonly Pending[];
  readonly drafts: readonly Draft[];
  /** Turns whose text streamed in on this page: their `final` is announced apart. */
  readonly streamed: readonly string[];
  readonly typing: boolean;
  /** The newest message when the link was made: what comes up to here is history, not news. */
  readonly resumeTo: number;
  /** After a resume a turn may be half said: its deltas would begin in the middle of a sentence. */
  readonly midTurn: boolean;
  readonly notice: Notice | null;
}

/** What survives a reload, besides the token. */
export type Kept = Pick<State, "conversation" | "status" | "messages" | "lastSeq" | "readSeq" | "seenSeq">;

export type Event =
  | { readonly type: "link"; readonly link: Link }
  | { readonly type: "restored"; readonly kept: Kept }
  | { readonly type: "frame"; readonly frame: ServerFrame }
  | { readonly type: "outbox"; readonly pending: readonly Pending[] }
  | { readonly type: "voted"; readonly of: number; readonly vote: Vote | null }
  | { readonly type: "seen"; readonly seq: number }
  | { readonly type: "rewound" }
  | { readonly type: "gapAccepted" }
  | { readonly type: "forgotten"; readonly notice: Notice | null };

export const EMPTY: State = {
  link: "idle",
  conversation: null,
  status: "bot",
  bot: null,
  maxText: MAX_TEXT,
  messages: [],
  lastSeq: 0,
  readSeq: 0,
  seenSeq: 0,
  pending: [],
  drafts: [],
  streamed: [],
  typing: false,
  resumeTo: 0,
  midTurn: false,
  notice: null,
};

const newest = (state: State): number => state.messages.at(-1)?.seq ?? 0;

/** A message has come although one before it has not. */
export const hasGap = (state: State): boolean => newest(state) > state.lastSeq;

const fromStaff = (message: Message): boolean => message.role === "bot" || message.role === "agent";

export const unread = (state: State): readonly Message[] =>
  state.messages.filter((m) => fromStaff(m) && m.seq > state.seenSeq);

function contiguous(messages: readonly Message[], from: number): number {
  let last = from;
  for (const { seq } of messages) if (seq === last + 1) last = seq;
  return last;
}

function insert(state: State, message: Message): State {
  if (message.seq <= state.lastSeq || state.messages.some((m) => m.seq === message.seq)) return state;
  const messages = [...state.messages, message].sort((a, b) => a.seq - b.seq);
  return { ...state, messages, lastSeq: contiguous(messages, state.lastSeq) };
}

const withoutPending = (state: State, id: string | undefined): State =>
  state.pending.some((p) => p.id === id)
    ? { ...state, pending: state.pending.filter((p) => p.id !== id) }
    : state;

function accepted(state: State, frame: { id: string; seq: number; at: string }): State {
  const pending = state.pending.find((p) => p.id === frame.id);
  if (!pending || frame.seq < 1) return state;
  const message: Message = {
    seq: frame.seq,
    role: "customer",
    text: pending.text,
    at: frame.at,
    id: frame.id,
    quick_replies: [],
    citations: [],
    vote: null,
    rateable: false,
  };
  return insert(withoutPending(state, frame.id), message);
}

function final(state: State, message: Message): State {
  const cleared = withoutPending(state, message.id);
  const drafts = message.turn ? cleared.drafts.filter((d) => d.turn !== message.turn) : cleared.drafts;
  const next = insert({ ...cleared, drafts }, message);
  if (next.messages === cleared.messages) return next;
  if (!fromStaff(message)) return message.seq <= state.resumeTo ? { ...next, midTurn: true } : next;
  return { ...next, typing: false, midTurn: false, readSeq: Math.max(next.readSeq, message.seq - 1) };
}

function delta(state: State, frame: { turn: string; attempt: number; text: string }): State {
  if (state.messages.some((m) => m.turn === frame.turn)) return state;
  if (state.midTurn) return { ...state, typing: true };
  const shown = state.drafts.find((d) => d.turn === frame.turn);
  if (shown && shown.attempt > frame.attempt) return state;
  const before = shown?.attempt === frame.attempt ? shown.text : "";
  const draft = { turn: frame.turn, attempt: frame.attempt, text: before + frame.text };
  return {
    ...state,
    drafts: [...state.drafts.filter((d) => d !== shown), draft],
    streamed: state.streamed.includes(frame.turn) ? state.streamed : [...state.streamed, frame.turn],
  };
}

function setVote(state: State, of: number, vote: Vote | null): State {
  return { ...state, messages: state.messages.map((m) => (m.seq === of ? { ...m, vote } : m)) };
}

function forget(state: State, notice: Notice | null): State {
  const { link, bot, maxText, pending } = state;
  return { ...EMPTY, link, bot, maxText, pending, notice };
}

function welcome(state: State, frame: Extract<ServerFrame, { type: "welcome" }>): State {
  const other = state.conversation !== null && state.conversation !== frame.conversation;
  const lost = other || frame.seq < state.lastSeq;
  const base = lost ? forget(state, "forgotten") : state;
  return {
    ...base,
    conversation: frame.conversation,
    status: frame.status,
    bot: frame.bot,
    maxText: frame.maxText,
    drafts: [],
    typing: false,
    resumeTo: frame.seq,
    midTurn: base.messages.at(-1)?.role === "customer",
  };
}

function onFrame(state: State, frame: ServerFrame): State {
  switch (frame.type) {
    case "welcome":
      return welcome(state, frame);
    case "accepted":
      return accepted(state, frame);
    case "read":
      return { ...state, midTurn: false, readSeq: Math.max(state.readSeq, frame.seq) };
    case "typing":
      return { ...state, typing: frame.on };
    case "delta":
      return delta(state, frame);
    case "withdraw":
      return {
        ...state,
        drafts: state.drafts.filter((d) => d.turn !== frame.turn || d.attempt !== frame.attempt),
      };
    case "final":
      return final(state, frame.message);
    case "status":
      // `waiting` leaves the draft: the bot may still be saying that it passes the customer on.
      return frame.status === "bot" || frame.status === "waiting"
        ? { ...state, status: frame.status }
        : { ...state, status: frame.status, drafts: [], typing: false };
    case "feedback":
      return setVote(state, frame.of, frame.vote);
    default:
      return state;
  }
}

function onLink(state: State, link: Link): State {
  if (link === state.link) return state;
  return link === "online" ? { ...state, link } : { ...state, link, drafts: [], typing: false };
}

export function reduce(state: State, event: Event): State {
  switch (event.type) {
    case "link":
      return onLink(state, event.link);
    case "restored":
      return { ...forget(state, null), ...event.kept };
    case "frame":
      return onFrame(state, event.frame);
    case "outbox":
      return { ...state, pending: event.pending };
    case "voted":
      return setVote(state, event.of, event.vote);
    case "seen":
      return event.seq > state.seenSeq ? { ...state, seenSeq: event.seq } : state;
    case "rewound":
      // What is shown stays; what comes from the first message on joins it from below.
      return { ...state, lastSeq: 0 };
    case "gapAccepted":
      return { ...state, lastSeq: newest(state) };
    case "forgotten":
      return forget(state, event.notice);
  }
}
