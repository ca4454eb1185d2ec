/** The wire: docs/webchat-protocol.md as types, and the one place where foreign JSON is checked. */

export const SUBPROTOCOL = "kefu.v1";
export const MAX_TEXT = 4000;

export type Lang = "zh" | "en";
export type Role = "customer" | "bot" | "agent" | "system";
export type Status = "bot" | "waiting" | "human" | "closed";
export type Vote = "up" | "down";
export type Texts = Readonly<Record<string, string>>;

export interface QuickReply {
  readonly label: string;
  readonly value: string;
}

export interface Citation {
  readonly mark: number;
  readonly title: string;
  readonly snippet: string;
  readonly url?: string;
}

/** A committed message, in the shape it has on the wire (`final`). */
export interface Message {
  readonly seq: number;
  readonly role: Role;
  readonly text: string;
  readonly at: string;
  readonly id?: string;
  readonly turn?: string;
  readonly quick_replies: readonly QuickReply[];
  readonly citations: readonly Citation[];
  readonly vote: Vote | null;
  readonly rateable: boolean;
}

export interface Bot {
  readonly name: Texts;
  readonly languages: readonly string[];
  readonly welcome: Texts;
  readonly suggestions: Readonly<Record<string, readonly string[]>>;
}

export interface Welcome {
  readonly type: "welcome";
  readonly token: string;
  readonly conversation: string;
  readonly seq: number;
  readonly status: Status;
  readonly bot: Bot;
  readonly maxText: number;
}

export interface Refusal {
  readonly code: string;
  readonly ref?: string | number;
  /** Seconds. */
  readonly retryAfter: number;
}

export interface Hello {
  readonly type: "hello";
  readonly v: 1;
  readonly token?: string;
  readonly last_seq: number;
  readonly locale: Lang;
}

export type ClientFrame =
  | Hello
  | { readonly type: "message"; readonly id: string; readonly text: string }
  | {
      readonly type: "choice";
      readonly id: string;
      readonly of: number;
      readonly value: string;
      readonly label: string;
    }
  | { readonly type: "feedback"; readonly of: number; readonly vote: Vote | null }
  | { readonly type: "ack"; readonly seq: number }
  | { readonly type: "ping" };

export type ServerFrame =
  | Welcome
  | { readonly type: "accepted"; readonly id: string; readonly seq: number; readonly at: string }
  | { readonly type: "read"; readonly seq: number }
  | { readonly type: "typing"; readonly on: boolean }
  | { readonly type: "delta"; readonly turn: string; readonly attempt: number; readonly text: string }
  | { readonly type: "withdraw"; readonly turn: string; readonly attempt: number }
  | { readonly type: "final"; readonly message: Message }
  | { readonly type: "status"; readonly status: Status }
  | { readonly type: "feedback"; readonly of: number; readonly vote: Vote | null }
  | { readonly type: "pong" }
  | { readonly type: "error"; readonly error: Refusal };

type Raw = Readonly<Record<string, unknown>>;

const isObject = (x: unknown): x is Raw => typeof x === "object" && x !== null && !Array.isArray(x);
const object = (x: unknown): Raw => (isObject(x) ? x : {});
const list = (x: unknown): readonly unknown[] => (Array.isArray(x) ? x : []);
const text = (x: unknown, otherwise = ""): string => (typeof x === "string" ? x : otherwise);
const whole = (x: unknown, otherwise: number): number =>
  Number.isSafeInteger(x) ? (x as number) : otherwise;
const vote = (x: unknown): Vote | null => (x === "up" || x === "down" ? x : null);

const ROLES: readonly unknown[] = ["customer", "bot", "agent", "system"];
const STATUSES: readonly unknown[] = ["bot", "waiting", "human", "closed"];
const status = (x: unknown): Status => (STATUSES.includes(x) ? (x as Status) : "bot");

const mapTexts = <T>(x: unknown, read: (value: unknown) => T): Record<string, T> =>
  Object.fromEntries(Object.entries(object(x)).map(([lang, value]) => [lang, read(value)]));

function quickReply(x: unknown): QuickReply[] {
  const { label, value } = object(x);
  return typeof label === "string" && label ? [{ label, value: text(value, label) }] : [];
}

function citation(x: unknown): Citation[] {
  const raw = object(x);
  if (!Number.isSafeInteger(raw.mark)) return [];
  const base = { mark: raw.mark as number, title: text(raw.title), snippet: text(raw.snippet) };
  return [typeof raw.url === "string" ? { ...base, url: raw.url } : base];
}

/** Reads the keys of a `final`; null where they make no message. Also reads what was kept in the browser. */
export function readMessage(x: unknown): Message | null {
  const raw = object(x);
  const seq = whole(raw.seq, 0);
  if (seq < 1 || !ROLES.includes(raw.role) || typeof raw.text !== "string") return null;
  return {
    seq,
    role: raw.role as Role,
    text: raw.text,
    at: text(raw.at),
    ...(typeof raw.id === "string" && { id: raw.id }),
    ...(typeof raw.turn === "string" && { turn: raw.turn }),
    quick_replies: list(raw.quick_replies).flatMap(quickReply),
    citations: list(raw.citations).flatMap(citation),
    vote: vote(raw.vote),
    rateable: raw.rateable === true,
  };
}

function welcome(raw: Raw): Welcome | null {
  if (typeof raw.token !== "string" || typeof raw.conversation !== "string") return null;
  const bot = object(raw.bot);
  return {
    type: "welcome",
    token: raw.token,
    conversation: raw.conversation,
    seq: whole(raw.seq, 0),
    status: status(raw.status),
    bot: {
      name: mapTexts(bot.name, text),
      languages: list(bot.languages).filter((x) => typeof x === "string"),
      welcome: mapTexts(bot.welcome, text),
      suggestions: mapTexts(bot.suggestions, (x) => list(x).filter((s) => typeof s === "string")),
    },
    maxText: whole(object(raw.limits).text, MAX_TEXT),
  };
}

function refusal(raw: Raw): Refusal {
  const { code, ref, retry_after: after } = object(raw.error);
  return {
    code: text(code, "internal"),
    ...((typeof ref === "string" || typeof ref === "number") && { ref }),
    retryAfter: typeof after === "number" && after >= 0 ? after : 0,
  };
}

function read(raw: Raw): ServerFrame | null {
  const turn = { turn: text(raw.turn), attempt: whole(raw.attempt, 0) };
  switch (raw.type) {
    case "welcome":
      return welcome(raw);
    case "accepted":
      return { type: "accepted", id: text(raw.id), seq: whole(raw.seq, 0), at: text(raw.at) };
    case "read":
      return { type: "read", seq: whole(raw.seq, 0) };
    case "typing":
      return { type: "typing", on: raw.on === true };
    case "delta":
      return { type: "delta", ...turn, text: text(raw.text) };
    case "withdraw":
      return { type: "withdraw", ...turn };
    case "final": {
      const message = readMessage(raw);
      return message && { type: "final", message };
    }
    case "status":
      return { type: "status", status: status(raw.status) };
    case "feedback":
      return { type: "feedback", of: whole(raw.of, 0), vote: vote(raw.vote) };
    case "pong":
      return { type: "pong" };
    case "error":
      return { type: "error", error: refusal(raw) };
    default:
      return null;
  }
}

/** One frame off the wire; null for what is no frame, or none that this version knows. */
export function parseFrame(data: unknown): ServerFrame | null {
  if (typeof data !== "string") return null;
  try {
    return read(object(JSON.parse(data)));
  } catch {
    return null;
  }
}

/** An id nobody can guess: 16 random bytes in the alphabet `A-Za-z0-9_-`. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** The text as the server will store it: no control characters but line feed and tab, no halves of characters. */
export function clean(raw: string): string {
  return raw
    .replace(/\r\n?/g, "\n")
    .replace(/[^\P{Cc}\n\t]/gu, "")
    .replace(/\p{Surrogate}/gu, "\uFFFD")
    .trim();
}

/** Characters as the server counts them: code points, not UTF-16 units. */
export function countCharacters(raw: string): number {
  let count = 0;
  for (const _ of raw) count += 1;
  return count;
}
