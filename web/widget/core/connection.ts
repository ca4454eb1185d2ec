/** One link that is kept alive, a WebSocket if the network lets one through: back-off with jitter, a pulse, and waking up when the network does. */

import type { Clock } from "./clock";
import { EventsSocket } from "./events";
import { type ClientFrame, type Hello, parseFrame, type ServerFrame, SUBPROTOCOL } from "./protocol";
import type { Socket } from "./socket";
import type { Link } from "./state";

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
const HANDSHAKE_MS = 10_000;
const PING_MS = 25_000;
const PONG_MS = 10_000;
/** How long a link may take to prove itself when the browser says that the network is gone. */
const PROOF_MS = 3_000;
/** A link that held so long was a good one: the next loss starts from the shortest delay again. */
const GOOD_MS = 10_000;
/** After this many failures in a row it is more honest to say "offline" than "reconnecting". */
const PATIENCE = 4;
/** After so many WebSockets that never opened, every other attempt does without, until one way is through. */
const SHUT = 2;

interface Options {
  readonly url: string;
  readonly clock: Clock;
  readonly dial?: (url: string, subprotocol: string) => Socket;
  /** The way without WebSockets, from the same address. */
  readonly listen?: (url: string, clock: Clock) => Socket;
  /** What to say first, asked anew at each attempt. */
  readonly hello: () => Hello;
  readonly onFrame: (frame: ServerFrame) => void;
  readonly onLink: (link: Link) => void;
  /** The code the server closed with; 1006 where it did not. */
  readonly onClosed: (code: number) => void;
  readonly isOnline?: () => boolean;
}

const dialBrowser = (url: string, subprotocol: string): Socket => new WebSocket(url, subprotocol);
const listenBrowser = (url: string, clock: Clock): Socket => new EventsSocket(url, clock);

export class Connection {
  private socket: Socket | null = null;
  private wanted = false;
  private welcomed = false;
  private everWelcomed = false;
  private failures = 0;
  /** Attempts in a row that came to nothing, as long as no WebSocket has opened. */
  private shut = 0;
  private socketsOpen = false;
  private welcomedAt = 0;
  /** The server has asked not to be called before. */
  private notBefore = 0;
  private cancelTimer = (): void => undefined;

  constructor(private readonly options: Options) {}

  get ready(): boolean {
    return this.welcomed;
  }

  start(): void {
    if (this.wanted) return;
    this.wanted = true;
    this.dial();
  }

  /** Closes and stays closed until `start`. */
  stop(): void {
    this.wanted = false;
    this.hangUp();
    this.failures = 0;
    this.everWelcomed = false;
    this.options.onLink("idle");
  }

  /** A new `hello`, whether or not there was a link before. */
  renew(): void {
    if (this.wanted) this.restart();
    else this.start();
  }

  /** A new socket, and so a new `hello`, after `delayMs`. */
  restart(delayMs = 0): void {
    if (!this.wanted) return;
    this.hangUp();
    this.report();
    this.cancelTimer = this.options.clock.after(delayMs, () => this.dial());
  }

  /** False where there is no link: the caller keeps the frame. */
  send(frame: ClientFrame): boolean {
    if (!this.socket || !this.welcomed) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  /** The server asks for patience: the next attempt of our own comes no earlier. */
  hold(ms: number): void {
    this.notBefore = this.options.clock.now() + ms;
  }

  /** The network is back, or the page is looked at again: do not wait for a timer. */
  wake(): void {
    if (!this.wanted) return;
    if (this.welcomed) this.ping();
    else if (!this.socket) this.restart();
  }

  /** The browser says that there is no network. It is sometimes wrong: a socket that still answers is left alone. */
  sleep(): void {
    if (this.welcomed) this.ping(PROOF_MS);
    else if (this.wanted) this.report();
  }

  private dial(): void {
    this.report();
    const { clock, url, dial = dialBrowser, listen = listenBrowser } = this.options;
    const without = !this.socketsOpen && this.shut >= SHUT && this.shut % 2 === 0;
    try {
      const socket = without ? listen(url, clock) : dial(url, SUBPROTOCOL);
      this.socket = socket;
      socket.onopen = () => {
        this.socketsOpen ||= !without;
        socket.send(JSON.stringify(this.options.hello()));
      };
      socket.onmessage = ({ data }) => this.heard(data);
      socket.onclose = ({ code }) => this.lost(code);
      this.cancelTimer = clock.after(HANDSHAKE_MS, () => this.lost(1006));
    } catch {
      // The page's policy forbids the address: nothing was opened.
      this.lost(1006);
    }
  }

  private heard(data: unknown): void {
    const frame = parseFrame(data);
    if (frame?.type === "welcome") {
      this.welcomed = true;
      this.everWelcomed = true;
      this.welcomedAt = this.options.clock.now();
    }
    if (this.welcomed) this.beat();
    if (!frame || frame.type === "pong") return;
    this.options.onFrame(frame);
    if (frame.type === "welcome" && this.welcomed) this.report();
  }

  /** Something was heard: the link lives. Silence is probed. */
  private beat(): void {
    this.cancelTimer();
    this.cancelTimer = this.options.clock.after(PING_MS, () => this.ping());
  }

  private ping(patience = PONG_MS): void {
    this.cancelTimer();
    this.send({ type: "ping" });
    this.cancelTimer = this.options.clock.after(patience, () => this.lost(1006));
  }

  private lost(code: number): void {
    if (!this.welcomed) this.shut += 1;
    const good = this.welcomed && this.options.clock.now() - this.welcomedAt >= GOOD_MS;
    this.hangUp();
    if (!this.wanted) return;
    this.failures = good ? 1 : this.failures + 1;
    this.options.onClosed(code);
    // The callback may have stopped the connection, or begun anew.
    if (!this.wanted || this.socket) return;
    this.restart(this.delay());
  }

  /** 0.5 s doubling to 30 s, each between a half and the whole of it: a crowd must not come back as one. */
  private delay(): number {
    const whole = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.failures - 1));
    const { clock } = this.options;
    return Math.max(whole * (0.5 + clock.random() / 2), this.notBefore - clock.now());
  }

  private hangUp(): void {
    this.cancelTimer();
    const socket = this.socket;
    this.socket = null;
    this.welcomed = false;
    if (!socket) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  private report(): void {
    const { isOnline = () => navigator.onLine, onLink } = this.options;
    if (this.welcomed) onLink("online");
    else if (!isOnline() || this.failures >= PATIENCE) onLink("offline");
    else onLink(this.everWelcomed ? "reconnecting" : "connecting");
  }
}
