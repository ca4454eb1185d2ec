/**
 * A server that speaks docs/webchat-protocol.md and keeps everything in memory: for developing the widget without the
 * real one, and for tests of its network core, which break it in all the ways networks and servers break.
 */

import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { Role, Status, Vote } from "../widget/core/protocol.ts";
import { PROFILE, type Reply, replyTo } from "./bot.ts";

type Wire = Record<string, unknown>;

interface Stored {
  readonly seq: number;
  readonly role: Role;
  readonly text: string;
  readonly at: string;
  readonly id?: string;
  readonly [extra: string]: unknown;
}

export class Conversation {
  readonly id = randomUUID();
  readonly token = `token-${this.id}`;
  readonly messages: Stored[] = [];
  readonly sockets = new Set<WebSocket>();
  status: Status = "bot";
  acked = 0;

  add(message: Omit<Stored, "seq" | "at">): Stored {
    const stored = { ...message, seq: this.messages.length + 1, at: new Date().toISOString() } as Stored;
    this.messages.push(stored);
    return stored;
  }

  send(frame: Wire): void {
    for (const socket of this.sockets) socket.send(JSON.stringify(frame));
  }
}

/** What goes wrong, set by tests; each count is used up. */
export interface Faults {
  /** Errors for the next messages instead of storing them. */
  refuse: { code: string; retry_after?: number }[];
  /** So many messages are stored, and the link is cut before `accepted`. */
  cutBeforeAccepted: number;
  /** So many bot messages are stored and not sent. */
  swallowFinal: number;
  /** Messages are neither stored nor answered. */
  deaf: boolean;
  /** Sockets are closed as soon as they say hello. */
  refuseHello: boolean;
}

interface Options {
  /** Milliseconds between two pieces of streamed text; without it replies come whole. */
  readonly pace?: number;
  readonly serve?: (request: IncomingMessage, response: ServerResponse) => void;
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

export class MockServer {
  readonly conversations: Conversation[] = [];
  readonly hellos: Wire[] = [];
  readonly faults: Faults = {
    refuse: [],
    cutBeforeAccepted: 0,
    swallowFinal: 0,
    deaf: false,
    refuseHello: false,
  };
  private readonly http: Server;
  private readonly sockets: WebSocketServer;

  constructor(private readonly options: Options = {}) {
    this.http = createServer(options.serve ?? ((_, response) => response.writeHead(404).end()));
    this.sockets = new WebSocketServer({
      server: this.http,
      maxPayload: 16_384,
      handleProtocols: (offered) => (offered.has("kefu.v1") ? "kefu.v1" : false),
    });
    this.sockets.on("connection", (socket) => this.connected(socket));
  }

  /** Listens on the loopback; returns the origin, "http://127.0.0.1:port". */
  async listen(port = 0): Promise<string> {
    await new Promise<void>((done) => this.http.listen(port, "127.0.0.1", done));
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.cutAll();
    this.sockets.close();
    await new Promise((done) => this.http.close(done));
  }

  /** Cuts all links without a word, as a network does. */
  cutAll(): void {
    for (const socket of this.sockets.clients) socket.terminate();
  }

  /** Tokens given out so far are refused from now on. */
  expireAll(): void {
    this.conversations.length = 0;
    this.cutAll();
  }

  /** The newest conversation. */
  get last(): Conversation {
    const conversation = this.conversations.at(-1);
    if (!conversation) throw new Error("Nobody has said hello yet.");
    return conversation;
  }

  private connected(socket: WebSocket): void {
    let conversation: Conversation | null = null;
    socket.on("message", (data) => {
      const frame = JSON.parse(String(data)) as Wire;
      if (frame.type === "hello") conversation = this.hello(socket, frame);
      else if (conversation) void this.heard(socket, conversation, frame);
    });
    socket.on("close", () => conversation?.sockets.delete(socket));
  }

  private hello(socket: WebSocket, frame: Wire): Conversation | null {
    this.hellos.push(frame);
    const known = this.conversations.find((c) => c.token === frame.token);
    if (this.faults.refuseHello) {
      socket.terminate();
      return null;
    }
    if (frame.token && !known) {
      socket.send(JSON.stringify({ type: "error", error: { code: "session_expired", message: "Too old." } }));
      socket.close(4401);
      return null;
    }
    const conversation = known ?? new Conversation();
    if (!known) this.conversations.push(conversation);
    conversation.sockets.add(socket);
    this.welcome(socket, conversation, Number(frame.last_seq));
    return conversation;
  }

  private welcome(socket: WebSocket, { token, id, messages, status }: Conversation, after: number): void {
    const expires_at = new Date(Date.now() + 30 * 86_400_000).toISOString();
    const head = { type: "welcome", v: 1, token, expires_at, conversation: id, seq: messages.length, status };
    socket.send(JSON.stringify({ ...head, bot: PROFILE, limits: { text: 4000, per_minute: 20 } }));
    for (const message of messages.slice(after)) socket.send(JSON.stringify({ type: "final", ...message }));
  }

  private async heard(socket: WebSocket, conversation: Conversation, frame: Wire): Promise<void> {
    const reply = (answer: Wire) => socket.send(JSON.stringify(answer));
    if (frame.type === "ping") reply({ type: "pong" });
    else if (frame.type === "ack") conversation.acked = Number(frame.seq);
    else if (frame.type === "feedback") this.feedback(conversation, frame);
    else if (frame.type === "message" || frame.type === "choice")
      await this.said(socket, conversation, frame);
  }

  private feedback(conversation: Conversation, { of, vote }: Wire): void {
    const index = conversation.messages.findIndex((m) => m.seq === of);
    const message = conversation.messages[index];
    if (message) conversation.messages[index] = { ...message, vote: vote as Vote | null };
    conversation.send({ type: "feedback", of, vote });
  }

  private async said(socket: WebSocket, conversation: Conversation, frame: Wire): Promise<void> {
    if (this.faults.deaf) return;
    const id = String(frame.id);
    const refusal = this.faults.refuse.shift();
    if (refusal) {
      socket.send(JSON.stringify({ type: "error", error: { ...refusal, message: "Refused.", ref: id } }));
      return;
    }
    const text = String(frame.type === "choice" ? frame.label : frame.text);
    const before = conversation.messages.find((m) => m.id === id);
    const stored = before ?? conversation.add({ role: "customer", text, id });
    if (this.faults.cutBeforeAccepted > 0) {
      this.faults.cutBeforeAccepted -= 1;
      socket.terminate();
    } else {
      const { seq, at } = stored;
      socket.send(JSON.stringify({ type: "accepted", id, seq, at, duplicate: before !== undefined }));
    }
    for (const other of conversation.sockets) {
      if (other !== socket) other.send(JSON.stringify({ type: "final", ...stored }));
    }
    if (!before) await this.answer(conversation, stored);
  }

  private async answer(conversation: Conversation, { seq, text }: Stored): Promise<void> {
    const { pace = 0 } = this.options;
    conversation.send({ type: "read", seq });
    for (const [i, reply] of replyTo(text).entries()) {
      conversation.send({ type: "typing", on: true });
      if (pace) await pause(pace * 12);
      const turn = `${conversation.id}-${seq}-${i}`;
      const streams = pace > 0 && (reply.role ?? "bot") === "bot";
      const attempt = streams ? await this.stream(conversation, turn, reply) : 0;
      this.commit(conversation, turn, attempt, reply);
    }
  }

  private async stream(conversation: Conversation, turn: string, reply: Reply): Promise<number> {
    const { pace = 0 } = this.options;
    const say = async (text: string, attempt: number) => {
      for (const piece of text.match(/.{1,4}/gsu) ?? []) {
        conversation.send({ type: "delta", turn, attempt, text: piece });
        await pause(pace);
      }
    };
    if (!reply.withdrawn) {
      await say(reply.text, 0);
      return 0;
    }
    await say(reply.withdrawn, 0);
    conversation.send({ type: "withdraw", turn, attempt: 0 });
    await pause(pace * 8);
    await say(reply.text, 1);
    return 1;
  }

  /** Stores a message of the bot's and sends it. */
  commit(conversation: Conversation, turn: string, attempt: number, reply: Reply): void {
    const { status, withdrawn: _, ...rest } = reply;
    conversation.send({ type: "typing", on: false });
    const stored = conversation.add({ role: "bot", ...rest, turn, attempt });
    if (this.faults.swallowFinal > 0) this.faults.swallowFinal -= 1;
    else conversation.send({ type: "final", ...stored });
    if (!status) return;
    conversation.status = status;
    conversation.send({ type: "status", status });
  }
}
