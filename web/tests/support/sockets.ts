import type { Socket } from "../../widget/core/socket";

/** A socket whose far end is the test. */
export class FakeSocket implements Socket {
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  readonly sent: Record<string, unknown>[] = [];
  closed = false;

  constructor(
    readonly url: string,
    readonly subprotocol: string,
  ) {}

  send(data: string): void {
    this.sent.push(JSON.parse(data));
  }
  close(): void {
    this.closed = true;
  }
  open(): void {
    this.onopen?.({} as never);
  }
  say(frame: unknown): void {
    this.onmessage?.({ data: JSON.stringify(frame) } as MessageEvent);
  }
  drop(code = 1006): void {
    this.onclose?.({ code } as CloseEvent);
  }
}

/** Hands out fake sockets and remembers them. */
export class Exchange {
  readonly sockets: FakeSocket[] = [];

  readonly dial = (url: string, subprotocol: string): Socket => {
    const socket = new FakeSocket(url, subprotocol);
    this.sockets.push(socket);
    return socket;
  };

  /** The way without WebSockets. */
  readonly listen = (url: string): Socket => this.dial(url, "events");

  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("Nothing was dialled.");
    return socket;
  }

  /** Opens the newest socket and lets the server welcome the client. */
  welcome(extra: Record<string, unknown> = {}): FakeSocket {
    this.last.open();
    this.last.say(welcome(extra));
    return this.last;
  }
}

export const welcome = (extra: Record<string, unknown> = {}) => ({
  type: "welcome",
  v: 1,
  token: "t1",
  conversation: "c1",
  seq: 0,
  status: "bot",
  bot: { name: { en: "Orchid" }, languages: ["en"], welcome: { en: "Hello" }, suggestions: {} },
  limits: { text: 4000, per_minute: 20 },
  ...extra,
});
