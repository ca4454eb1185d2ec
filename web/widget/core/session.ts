/** One customer's session: ties the connection, the outbox and what is kept together into one changing state. */

import { type Clock, realClock } from "./clock";
import { Connection } from "./connection";
import { Outbox } from "./outbox";
import { clean, type Lang, newId, type Refusal, type ServerFrame, type Vote } from "./protocol";
import { Records, type Saved } from "./record";
import type { Shelf } from "./shelf";
import type { Socket } from "./socket";
import { EMPTY, type Event, hasGap, type Notice, type Pending, reduce, type State } from "./state";

const SAVE_MS = 250;
/** `accepted` and `final` come by two ways: a short gap is a race, a longer one is a loss. */
const GAP_MS = 400;
/** So many reconnects in vain, and the missing message is let go. */
const GAP_TRIES = 3;
const SESSION_GONE = new Set(["session_invalid", "session_expired"]);
const CLOSED_SESSION = 4401;

export interface SessionOptions {
  /** http(s) or ws(s) address the server is mounted at, without a slash at the end. */
  readonly server: string;
  readonly channel: string;
  readonly shelf: Shelf;
  readonly locale: () => Lang;
  readonly changed: (state: State, before: State) => void;
  readonly clock?: Clock;
  readonly dial?: (url: string, subprotocol: string) => Socket;
  readonly isOnline?: () => boolean;
}

export const socketUrl = (server: string, channel: string): string =>
  `${server.replace(/^http/, "ws")}/channels/${encodeURIComponent(channel)}/ws`;

export class Session {
  state: State = EMPTY;
  private token: string | null = null;
  private epoch = 0;
  private acked = 0;
  private gapTries = 0;
  private shown = false;
  /** The server was asked for all, from the first message on. */
  private rewound = false;
  private cancelSave: (() => void) | null = null;
  private cancelGap: (() => void) | null = null;
  private readonly votes = new Map<number, Vote | null>();
  private readonly clock: Clock;
  private readonly records: Records;
  private readonly outbox: Outbox;
  private readonly connection: Connection;
  private readonly unwatch: () => void;

  constructor(private readonly options: SessionOptions) {
    const { server, channel, shelf } = options;
    this.clock = options.clock ?? realClock;
    this.records = new Records(shelf, server, channel);
    this.restore(this.records.load());
    this.connection = new Connection({
      ...options,
      clock: this.clock,
      url: socketUrl(server, channel),
      hello: () => this.hello(),
      onFrame: (frame) => this.onFrame(frame),
      onLink: (link) => this.dispatch({ type: "link", link }),
      onClosed: (code) => this.onClosed(code),
    });
    this.outbox = new Outbox({
      shelf,
      prefix: this.records.prefix,
      clock: this.clock,
      transmit: (frame) => this.connection.send(frame),
      changed: (pending) => this.dispatch({ type: "outbox", pending }),
      stalled: () => this.connection.restart(),
    });
    this.unwatch = this.records.watch((saved) => this.onOtherTab(saved));
  }

  /** A conversation exists already: worth a connection before the customer opens the chat. */
  get resumable(): boolean {
    return this.token !== null || this.state.pending.length > 0;
  }

  /** Messages before the first one here are on the server, and nobody has asked for them yet. */
  get hasOlder(): boolean {
    return !this.rewound && (this.state.messages[0]?.seq ?? 1) > 1;
  }

  /** What `older` has asked for is on its way. */
  get fetching(): boolean {
    return this.rewound && this.state.lastSeq < this.state.resumeTo;
  }

  /** Conversations that this browser has had before this one, the newest first. */
  get past(): readonly Saved[] {
    return this.records.past(this.clock.now());
  }

  start(): void {
    this.connection.start();
  }

  /** Asks for the conversation from its first message: this browser keeps only its end. */
  older(): void {
    this.rewound = true;
    this.dispatch({ type: "rewound" });
    this.connection.restart();
  }

  /** Saves and hangs up; the object is of no use afterwards. */
  close(): void {
    this.save();
    this.connection.stop();
    this.outbox.close();
    this.unwatch();
    this.cancelGap?.();
  }

  wake(): void {
    this.connection.wake();
  }

  sleep(): void {
    this.connection.sleep();
  }

  /** False where there is nothing to send. The text goes out now, or once there is a link. */
  send(raw: string): boolean {
    const text = clean(raw);
    if (text) this.post({ id: newId(), text });
    return text !== "";
  }

  choose(of: number, value: string, label: string): void {
    this.post({ id: newId(), text: label, choice: { of, value } });
  }

  retry(id: string): void {
    this.outbox.retry(id);
    this.connection.wake();
  }

  discard(id: string): void {
    this.outbox.discard(id);
  }

  vote(of: number, vote: Vote | null): void {
    this.votes.set(of, vote);
    this.dispatch({ type: "voted", of, vote });
    this.connection.send({ type: "feedback", of, vote });
  }

  /** Whether the customer sees the conversation: open, and in a page that is looked at. */
  setShown(shown: boolean): void {
    this.shown = shown;
    this.acknowledge();
  }

  /** Lays this conversation aside and begins another. */
  begin(): void {
    this.layAside();
    this.forget(null);
    this.connection.renew();
  }

  /** Lays this conversation aside and goes on with one of `past`. */
  reopen(saved: Saved): void {
    this.layAside();
    this.forget(null);
    this.records.take(saved);
    // The younger session is what other tabs follow.
    this.restore({ ...saved, epoch: this.clock.now() });
    this.save();
    this.connection.renew();
  }

  /** Forgets all conversations in this browser. Nothing is begun until `start`. */
  end(): void {
    this.forget(null);
    this.records.clear();
    this.connection.stop();
  }

  /** The server learns the locale by `hello`: say it again, unless that would cut a sentence short. */
  localeChanged(): void {
    const { drafts, pending, typing } = this.state;
    if (this.connection.ready && !typing && drafts.length + pending.length === 0) this.connection.restart();
  }

  save(): void {
    this.cancelSave?.();
    this.cancelSave = null;
    if (this.token) this.records.save(this.token, this.epoch, this.state);
  }

  private post(message: Pick<Pending, "id" | "text" | "choice">): void {
    this.outbox.add(message);
    this.connection.start();
  }

  private dispatch(event: Event): void {
    const before = this.state;
    this.state = reduce(before, event);
    if (this.state === before) return;
    this.acknowledge();
    this.options.changed(this.state, before);
  }

  private hello() {
    const { token } = this;
    return {
      type: "hello",
      v: 1,
      ...(token && { token }),
      last_seq: token ? this.state.lastSeq : 0,
      locale: this.options.locale(),
    } as const;
  }

  private onFrame(frame: ServerFrame): void {
    const knew = this.state.lastSeq;
    this.dispatch({ type: "frame", frame });
    if (frame.type === "welcome") this.onWelcome(frame.token, frame.seq, knew);
    else if (frame.type === "accepted") this.outbox.settle(frame.id);
    else if (frame.type === "final" && frame.message.id) this.outbox.settle(frame.message.id);
    else if (frame.type === "feedback") this.votes.delete(frame.of);
    else if (frame.type === "error") this.onError(frame.error);
    this.watchGap();
    this.saveSoon();
  }

  private onWelcome(token: string, seq: number, knew: number): void {
    if (!this.token) this.epoch = this.clock.now();
    this.token = token;
    this.save();
    if (this.state.lastSeq < knew && seq > 0) {
      // What we knew is not what the server has: ask for all of it.
      this.connection.restart();
      return;
    }
    this.acked = 0;
    this.acknowledge();
    for (const [of, vote] of this.votes) this.connection.send({ type: "feedback", of, vote });
    this.outbox.linked();
  }

  private onError({ code, ref, retryAfter }: Refusal): void {
    if (SESSION_GONE.has(code)) this.forgetSession("expired");
    else if (ref !== undefined && this.outbox.refused(String(ref), code, retryAfter)) return;
    else if (this.votes.has(Number(ref))) this.onVoteRefused(Number(ref), code, retryAfter);
    else if (ref === undefined) this.connection.hold(retryAfter * 1000);
  }

  private onVoteRefused(of: number, code: string, retryAfter: number): void {
    if (code === "rate_limited" || code === "overloaded") {
      this.clock.after(Math.max(retryAfter, 1) * 1000, () => {
        const vote = this.votes.get(of);
        if (vote !== undefined) this.connection.send({ type: "feedback", of, vote });
      });
      return;
    }
    this.votes.delete(of);
    this.dispatch({ type: "voted", of, vote: null });
  }

  private onClosed(code: number): void {
    this.outbox.unlinked();
    if (code === CLOSED_SESSION) this.forgetSession("expired");
  }

  /** The token is worth nothing any more. What the customer has yet to send goes into the next session. */
  private forgetSession(notice: Notice): void {
    // Without a token there was nothing to refuse: the connection's back-off deals with such a server.
    if (!this.token) return;
    const had = this.state.messages.length > 0;
    this.token = null;
    this.records.remove();
    this.dispatch({ type: "forgotten", notice: had ? notice : null });
    this.connection.restart();
  }

  private forget(notice: Notice | null): void {
    this.token = null;
    this.acked = 0;
    this.rewound = false;
    this.votes.clear();
    this.outbox.clear();
    this.records.remove();
    this.dispatch({ type: "forgotten", notice });
  }

  private layAside(): void {
    const begun = this.state.messages.some((m) => m.role === "customer");
    if (this.token && begun) this.records.layAside(this.token, this.epoch, this.state);
  }

  private restore(saved: Saved | null): void {
    if (!saved) return;
    this.token = saved.token;
    this.epoch = saved.epoch;
    this.acked = 0;
    this.rewound = false;
    this.dispatch({ type: "restored", kept: saved.kept });
  }

  /** Another tab has gone on, begun anew, or ended the conversation. */
  private onOtherTab(saved: Saved | null): void {
    if (saved && saved.epoch === this.epoch && this.token) {
      this.dispatch({ type: "seen", seq: saved.kept.seenSeq });
    } else if (saved && saved.epoch >= this.epoch) {
      this.restore(saved);
      this.connection.renew();
    } else if (!saved && this.token) {
      // A save of ours may have crossed the removal.
      if (this.records.load()?.epoch === this.epoch) this.records.remove();
      this.token = null;
      this.dispatch({ type: "forgotten", notice: null });
      this.connection.stop();
    }
  }

  private acknowledge(): void {
    const seq = this.state.messages.at(-1)?.seq ?? 0;
    if (!this.shown || seq === 0) return;
    if (seq > this.state.seenSeq) {
      this.dispatch({ type: "seen", seq });
      this.saveSoon(); // other tabs count it as unread until they are told, and no frame may come for hours
    }
    if (seq > this.acked && this.connection.send({ type: "ack", seq })) this.acked = seq;
  }

  private watchGap(): void {
    if (!hasGap(this.state) || this.fetching) {
      this.cancelGap?.();
      this.cancelGap = null;
      this.gapTries = 0;
    } else if (!this.cancelGap) {
      this.cancelGap = this.clock.after(GAP_MS, () => this.closeGap());
    }
  }

  private closeGap(): void {
    this.cancelGap = null;
    this.gapTries += 1;
    if (this.gapTries > GAP_TRIES) this.dispatch({ type: "gapAccepted" });
    else this.connection.restart();
  }

  private saveSoon(): void {
    this.cancelSave ??= this.clock.after(SAVE_MS, () => this.save());
  }
}
