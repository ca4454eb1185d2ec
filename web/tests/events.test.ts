import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { EventsSocket } from "../widget/core/events";
import { FakeClock } from "./support/clock";
import { welcome } from "./support/sockets";

interface Heard {
  readonly method: string;
  readonly url: string;
  readonly token: string | undefined;
  readonly body: string;
}

let server: Server;
let heard: Heard[];
let stream: ServerResponse | null;
let answer: (heard: Heard, response: ServerResponse) => void;
let clock: FakeClock;
let socket: EventsSocket;
let frames: Record<string, unknown>[];
let codes: number[];

beforeEach(async () => {
  heard = [];
  frames = [];
  codes = [];
  stream = null;
  answer = (_, response) => response.end('{"type":"pong"}');
  server = createServer((request, response) => void take(request, response)).listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  clock = new FakeClock();
  socket = new EventsSocket(
    `ws://127.0.0.1:${(server.address() as AddressInfo).port}/channels/web/ws`,
    clock,
  );
  socket.onmessage = ({ data }) => data && frames.push(JSON.parse(data));
  socket.onclose = ({ code }) => codes.push(code);
});

afterEach(() => {
  socket.close();
  server.closeAllConnections();
  server.close();
});

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = "";
  for await (const piece of request) body += piece;
  const { method = "", url = "", headers } = request;
  const one = { method, url, token: headers.authorization, body };
  heard.push(one);
  if (method === "POST") answer(one, response);
  else if (url.includes("last_seq=99")) response.writeHead(401).end(GONE);
  else {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    stream = response;
    tell(welcome());
  }
}

const GONE = '{"type":"error","error":{"code":"session_invalid","message":"No."}}';
const tell = (frame: unknown) => stream?.write(`id: 1\r\ndata: ${JSON.stringify(frame)}\r\n\r\n`);
const hello = (more: object = {}) =>
  socket.send(JSON.stringify({ type: "hello", v: 1, last_seq: 3, locale: "zh", ...more }));
const until = (happened: () => boolean) => expect.poll(happened, { interval: 5 }).toBe(true);

it("opens by itself, and its hello is the request for events", async () => {
  const { url } = socket;
  socket = new EventsSocket(url, clock);
  socket.onmessage = ({ data }) => frames.push(JSON.parse(data));
  socket.onopen = () => hello({ token: "t0" });
  await until(() => frames.length === 1);
  expect(frames[0]).toMatchObject({ type: "welcome" });
  expect(heard[0]).toEqual({
    method: "GET",
    url: "/channels/web/events?locale=zh&last_seq=3",
    token: "Bearer t0",
    body: "",
  });
});

it("reads events however they are cut, and passes over comments", async () => {
  hello();
  await until(() => frames.length === 1);
  const bytes = Buffer.from(`: ping\r\n\r\ndata: {"type":"delta","text":"您好"}\r\n\r\n`);
  for (const byte of bytes) {
    stream?.write(Buffer.from([byte]));
    await new Promise((next) => setImmediate(next));
  }
  await until(() => frames.length === 2);
  expect(frames[1]).toEqual({ type: "delta", text: "您好" });
});

it("posts frames one after the other with the token of the welcome", async () => {
  hello();
  await until(() => frames.length === 1);
  answer = ({ body }, response) => {
    const delay = body.includes("first") ? 30 : 0;
    setTimeout(() => response.end(JSON.stringify({ type: "accepted", id: JSON.parse(body).id })), delay);
  };
  for (const id of ["first", "second"]) socket.send(JSON.stringify({ type: "message", id, text: "hi" }));
  await until(() => frames.length === 3);
  expect(frames.slice(1).map((f) => f.id)).toEqual(["first", "second"]);
  expect(heard[1]).toMatchObject({
    method: "POST",
    url: "/channels/web/messages?locale=zh",
    token: "Bearer t1",
  });
});

it("ends with the code the server says", async () => {
  hello();
  await until(() => frames.length === 1);
  tell({ type: "close", code: 1013, reason: "" });
  await until(() => codes.length === 1);
  expect(codes).toEqual([1013]);
});

it("ends with 4401 where the token is none", async () => {
  hello({ last_seq: 99 });
  await until(() => codes.length === 1);
  expect([frames[0]?.type, codes]).toEqual(["error", [4401]]);
});

it("notices a stream that breaks", async () => {
  hello();
  await until(() => frames.length === 1);
  stream?.destroy();
  await until(() => codes.length === 1);
  expect(codes).toEqual([1006]);
});

it("notices a stream that falls silent", async () => {
  hello();
  await until(() => frames.length === 1);
  clock.advance(39_999);
  expect(codes).toEqual([]);
  clock.advance(1);
  expect(codes).toEqual([1006]);
});

it("says nothing more once it is closed", async () => {
  hello();
  await until(() => frames.length === 1);
  socket.close();
  await until(() => stream?.destroyed === true || stream?.closed === true);
  expect(frames).toHaveLength(1);
});
