/** For networks that let no WebSocket through: frames are posted, and what happens comes as server-sent events. */

import type { Clock } from "./clock";
import type { Hello } from "./protocol";
import type { Socket } from "./socket";

/** The server shows that it lives every 25 seconds. */
const SILENCE_MS = 40_000;
const LOST = 1006;

/** Looks like a WebSocket. `url` is the one that would have been dialled. */
export class EventsSocket implements Socket {
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  private token = "";
  private query = "";
  private posts = Promise.resolve();
  private readonly gone = new AbortController();
  private cancelSilence = (): void => undefined;

  constructor(
    readonly url: string,
    private readonly clock: Clock,
  ) {
    queueMicrotask(() => this.onopen?.({} as never));
  }

  send(data: string): void {
    const frame = JSON.parse(data);
    if (frame.type === "hello") void this.listen(frame);
    // One after the other: what is said first arrives first.
    else this.posts = this.posts.then(() => this.post(data));
  }

  close(): void {
    this.cancelSilence();
    this.gone.abort();
  }

  private async listen({ token = "", last_seq, locale }: Hello): Promise<void> {
    this.token = token;
    this.query = `?locale=${locale}`;
    try {
      const response = await this.ask(`events${this.query}&last_seq=${last_seq}`);
      if (response.ok && response.body) await this.read(response.body);
      else await this.refused(response);
    } catch {
      // Aborted, cut off, or not what was expected: all the same.
    }
    this.end(LOST);
  }

  private async read(body: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ""; ; ) {
      this.cancelSilence();
      this.cancelSilence = this.clock.after(SILENCE_MS, () => this.end(LOST));
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      // A frame has no line feed in it, so an event is one line.
      for (const line of lines) if (line.startsWith("data: ")) this.heard(line.slice(6));
    }
  }

  private heard(data: string): void {
    const { type, token, code } = JSON.parse(data);
    if (type === "close") this.end(code);
    if (type === "welcome") this.token = token;
    this.say(data);
  }

  private async post(data: string): Promise<void> {
    try {
      const response = await this.ask(`messages${this.query}`, { method: "POST", body: data });
      if (response.ok) this.say(await response.text());
      else await this.refused(response);
    } catch {
      this.end(LOST);
    }
  }

  private async refused(response: Response): Promise<void> {
    this.say(await response.text());
    if (response.status === 401) this.end(4401);
  }

  private ask(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.url.replace(/^ws/, "http").replace(/ws$/, path), {
      ...init,
      credentials: "omit",
      cache: "no-store",
      signal: this.gone.signal,
      ...(this.token && { headers: { Authorization: `Bearer ${this.token}` } }),
    });
  }

  private say(data: string): void {
    this.onmessage?.({ data } as MessageEvent);
  }

  private end(code: number): void {
    this.close();
    this.onclose?.({ code } as CloseEvent);
    this.onclose = null;
  }
}
