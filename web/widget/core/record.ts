/** The session as it is kept in the browser: enough to show the conversation at once after a reload. */

import { type Message, readMessage, type Status } from "./protocol";
import type { Shelf } from "./shelf";
import type { Kept, State } from "./state";

const KEEP_MESSAGES = 200;
const KEEP_PAST = 5;
/** The server lets a token go after so long. */
const PAST_MS = 30 * 86_400_000;

export interface Saved {
  readonly token: string;
  /** When this session began, milliseconds since 1970: of two tabs the younger session wins. */
  readonly epoch: number;
  readonly kept: Kept;
}

const number = (x: unknown): number => (Number.isSafeInteger(x) && (x as number) >= 0 ? (x as number) : 0);

export function pack(token: string, epoch: number, state: State): string {
  const { conversation, status, lastSeq, readSeq, seenSeq } = state;
  const messages = state.messages.slice(-KEEP_MESSAGES);
  return JSON.stringify({ v: 1, token, epoch, conversation, status, lastSeq, readSeq, seenSeq, messages });
}

/** Null where nothing is kept, or something that this version cannot read: the server then tells all again. */
export function unpack(json: string | null): Saved | null {
  try {
    const raw = JSON.parse(json ?? "null") as Record<string, unknown> | null;
    if (raw?.v !== 1 || typeof raw.token !== "string") return null;
    if (typeof raw.conversation !== "string" || !Array.isArray(raw.messages)) return null;
    const messages = raw.messages.map(readMessage).filter((m): m is Message => m !== null);
    const whole = messages.length === raw.messages.length;
    const kept: Kept = {
      conversation: raw.conversation,
      status: raw.status as Status,
      messages: whole ? messages : [],
      lastSeq: whole ? number(raw.lastSeq) : 0,
      readSeq: number(raw.readSeq),
      seenSeq: number(raw.seenSeq),
    };
    return { token: raw.token, epoch: number(raw.epoch), kept };
  } catch {
    return null;
  }
}

/** Milliseconds since 1970 of its newest message; 0 where it has none. */
export const lastAt = ({ kept }: Saved): number => Date.parse(kept.messages.at(-1)?.at ?? "") || 0;

/** One shelf, one channel of one server. */
export class Records {
  private readonly key: string;
  /** What all keys of this channel begin with. */
  readonly prefix: string;

  constructor(
    private readonly shelf: Shelf,
    server: string,
    channel: string,
  ) {
    this.prefix = `kefu:${server}:${channel}:`;
    this.key = `${this.prefix}session`;
  }

  load(): Saved | null {
    return unpack(this.shelf.get(this.key));
  }

  /** Writes unless another tab has begun a younger session meanwhile. */
  save(token: string, epoch: number, state: State): void {
    const there = this.load();
    if (there && there.epoch > epoch) return;
    this.shelf.set(this.key, pack(token, epoch, state));
  }

  remove(): void {
    this.shelf.remove(this.key);
  }

  /** Conversations that were laid aside and can still be gone on with, the newest first. */
  past(now: number): Saved[] {
    const fresh = (saved: Saved | null): saved is Saved => saved !== null && lastAt(saved) > now - PAST_MS;
    return this.shelf
      .keys(this.pastKey(""))
      .map((key) => unpack(this.shelf.get(key)))
      .filter(fresh)
      .sort((a, b) => lastAt(b) - lastAt(a));
  }

  layAside(token: string, epoch: number, state: State): void {
    this.shelf.set(this.pastKey(state.conversation ?? ""), pack(token, epoch, state));
    const kept = this.past(0).slice(0, KEEP_PAST);
    for (const key of this.shelf.keys(this.pastKey(""))) {
      if (!kept.some((saved) => key === this.pastKey(saved.kept.conversation ?? ""))) this.shelf.remove(key);
    }
  }

  /** It is no past conversation any more. */
  take({ kept }: Saved): void {
    this.shelf.remove(this.pastKey(kept.conversation ?? ""));
  }

  /** Everything, past conversations too. */
  clear(): void {
    for (const key of [this.key, ...this.shelf.keys(this.pastKey(""))]) this.shelf.remove(key);
  }

  private pastKey(conversation: string): string {
    return `${this.prefix}past:${conversation}`;
  }

  /** Another tab has saved or removed the session. */
  watch(callback: (saved: Saved | null) => void): () => void {
    return this.shelf.watch((key, value) => {
      if (key === this.key) callback(unpack(value));
    });
  }
}
