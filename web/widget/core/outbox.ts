/**
 * The customer's messages on their way out. One goes at a time, so that order survives refusals; each keeps its id
 * until the server has accepted it, through lost links, reloads and other tabs, so that sending again is harmless.
 */

import type { Clock } from "./clock";
import type { ClientFrame } from "./protocol";
import type { Shelf } from "./shelf";
import type { Pending } from "./state";

/** Unanswered or put off so many times, a message counts as failed: it is the customer's turn to decide. */
const MAX_SETBACKS = 3;
const ANSWER_MS = 12_000;
/** How long a message of another tab may stay unsettled before this tab deals with it too. */
const FOREIGN_MS = 15_000;
const TRANSIENT = new Set(["rate_limited", "overloaded", "internal"]);

interface Entry extends Pending {
  readonly setbacks: number;
  readonly foreign: boolean;
}

interface Options {
  readonly shelf: Shelf;
  readonly prefix: string;
  readonly clock: Clock;
  /** False where there is no link. */
  readonly transmit: (frame: ClientFrame) => boolean;
  readonly changed: (pending: readonly Pending[]) => void;
  /** The link took a message and gave no answer. */
  readonly stalled: () => void;
}

export class Outbox {
  private entries: Entry[] = [];
  private cancelTimer = (): void => undefined;
  private readonly unwatch: () => void;

  constructor(private readonly options: Options) {
    for (const key of options.shelf.keys(this.key(""))) this.adopt(options.shelf.get(key), false);
    this.unwatch = options.shelf.watch((key) => this.heard(key));
    this.publish();
  }

  /** Queues a message; it goes out at once where there is a link. */
  add(message: Pick<Pending, "id" | "text" | "choice">): void {
    const newest = this.entries.at(-1)?.at ?? 0;
    const at = Math.max(this.options.clock.now(), newest + 1);
    const entry: Entry = { ...message, at, phase: "queued", setbacks: 0, foreign: false };
    this.entries.push(entry);
    this.options.shelf.set(this.key(entry.id), JSON.stringify(entry));
    this.publish();
    this.pump();
  }

  /** The server has stored it (or shows it as a committed message). */
  settle(id: string): void {
    if (!this.entries.some((e) => e.id === id)) return;
    this.drop(id);
    this.pump();
  }

  /** The server has refused it. True where `ref` is one of ours. */
  refused(ref: string, code: string, retryAfter: number): boolean {
    const entry = this.entries.find((e) => e.id === ref);
    if (!entry) return false;
    const setbacks = entry.setbacks + (code === "rate_limited" ? 0 : 1);
    if (!TRANSIENT.has(code) || setbacks >= MAX_SETBACKS) this.fail(ref, code);
    else this.wait(ref, setbacks, Math.max(retryAfter, 2 ** setbacks) * 1000);
    return true;
  }

  /** The customer wants a failed message sent again. */
  retry(id: string): void {
    this.update(id, { phase: "queued", setbacks: 0, foreign: false });
    this.keep(id);
    this.pump();
  }

  discard(id: string): void {
    this.drop(id);
    this.pump();
  }

  clear(): void {
    for (const { id } of this.entries) this.options.shelf.remove(this.key(id));
    this.entries = [];
    this.cancelTimer();
    this.publish();
  }

  /** The link stands: what other tabs left behind goes out too, but nothing that they have settled since. */
  linked(): void {
    const { shelf } = this.options;
    this.entries = this.entries
      .filter((e) => !e.foreign || shelf.get(this.key(e.id)) !== null)
      .map((e) => ({ ...e, foreign: false }));
    this.unlinked();
    this.pump();
  }

  unlinked(): void {
    this.cancelTimer();
    this.entries = this.entries.map((e) => (e.phase === "failed" ? e : { ...e, phase: "queued" }));
    this.publish();
  }

  close(): void {
    this.cancelTimer();
    this.unwatch();
  }

  private key(id: string): string {
    return `${this.options.prefix}out:${id}`;
  }

  private pump(): void {
    if (this.entries.some((e) => e.phase === "sending" || e.phase === "waiting")) return;
    const next = this.entries.find((e) => e.phase === "queued" && !e.foreign);
    if (!next || !this.options.transmit(frameOf(next))) return;
    this.update(next.id, { phase: "sending" });
    this.cancelTimer = this.options.clock.after(ANSWER_MS, () => this.unanswered(next.id));
  }

  private unanswered(id: string): void {
    const setbacks = (this.entries.find((e) => e.id === id)?.setbacks ?? 0) + 1;
    this.update(id, { setbacks });
    if (setbacks >= MAX_SETBACKS) this.fail(id, "timeout");
    else this.options.stalled();
  }

  private wait(id: string, setbacks: number, ms: number): void {
    this.cancelTimer();
    this.update(id, { phase: "waiting", setbacks, until: this.options.clock.now() + ms });
    this.cancelTimer = this.options.clock.after(ms, () => {
      this.update(id, { phase: "queued" });
      this.pump();
    });
  }

  private fail(id: string, reason: string): void {
    this.cancelTimer();
    this.update(id, { phase: "failed", reason });
    this.keep(id);
    this.pump();
  }

  private drop(id: string): void {
    if (this.entries.some((e) => e.id === id && e.phase !== "queued" && e.phase !== "failed")) {
      this.cancelTimer();
    }
    this.entries = this.entries.filter((e) => e.id !== id);
    this.options.shelf.remove(this.key(id));
    this.publish();
  }

  private update(id: string, change: Partial<Entry>): void {
    this.entries = this.entries.map((e) => (e.id === id ? { ...e, ...change } : e));
    this.publish();
  }

  private keep(id: string): void {
    const entry = this.entries.find((e) => e.id === id);
    if (entry) this.options.shelf.set(this.key(id), JSON.stringify(entry));
  }

  private publish(): void {
    this.options.changed(this.entries);
  }

  private adopt(json: string | null, foreign: boolean): void {
    const entry = readEntry(json, foreign);
    if (!entry) return;
    this.entries = [...this.entries.filter((e) => e.id !== entry.id), entry].sort((a, b) => a.at - b.at);
  }

  /**
   * Another tab has queued, failed, or settled a message. News of it comes late where a browser is busy, after the
   * message itself even: what counts is what is kept now.
   */
  private heard(key: string): void {
    const id = key.startsWith(this.key("")) ? key.slice(this.key("").length) : "";
    if (!id) return;
    const mine = this.entries.find((e) => e.id === id);
    if (mine && !mine.foreign && mine.phase !== "failed") return;
    const kept = this.options.shelf.get(key);
    if (kept === null) this.entries = this.entries.filter((e) => e.id !== id);
    else this.adopt(kept, true);
    this.publish();
    this.options.clock.after(FOREIGN_MS, () => this.takeOver(id));
  }

  /** The other tab said nothing more of its message: it goes out from here. */
  private takeOver(id: string): void {
    const entry = this.entries.find((e) => e.id === id);
    if (!entry?.foreign || entry.phase !== "queued") return;
    this.update(id, { foreign: false });
    this.pump();
  }
}

function frameOf({ id, text, choice }: Entry): ClientFrame {
  return choice ? { type: "choice", id, ...choice, label: text } : { type: "message", id, text };
}

function readEntry(json: string | null, foreign: boolean): Entry | null {
  try {
    const raw = JSON.parse(json ?? "null") as Partial<Entry> | null;
    if (typeof raw?.id !== "string" || typeof raw.text !== "string" || typeof raw.at !== "number")
      return null;
    const phase = raw.phase === "failed" ? "failed" : "queued";
    const { id, text, at, choice, reason } = raw;
    return {
      id,
      text,
      at,
      phase,
      setbacks: 0,
      foreign,
      ...(choice && { choice }),
      ...(reason && { reason }),
    };
  } catch {
    return null;
  }
}
