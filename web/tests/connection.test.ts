import { beforeEach, describe, expect, it } from "vitest";
import { Connection } from "../widget/core/connection";
import type { Link } from "../widget/core/state";
import { FakeClock } from "./support/clock";
import { Exchange } from "./support/sockets";

let clock: FakeClock;
let exchange: Exchange;
let links: Link[];
let codes: number[];
let online: boolean;
let connection: Connection;

beforeEach(() => {
  clock = new FakeClock();
  exchange = new Exchange();
  links = [];
  codes = [];
  online = true;
  connection = new Connection({
    url: "wss://bank.example/channels/web/ws",
    clock,
    dial: exchange.dial,
    listen: exchange.listen,
    isOnline: () => online,
    hello: () => ({ type: "hello", v: 1, last_seq: 3, locale: "en" }),
    onFrame: () => undefined,
    onLink: (link) => links.push(link),
    onClosed: (code) => codes.push(code),
  });
});

/** How long after a loss the next attempt is made. */
function waitForDial(): number {
  const before = exchange.sockets.length;
  let waited = 0;
  while (exchange.sockets.length === before && waited < 60_000) {
    clock.advance(50);
    waited += 50;
  }
  return waited;
}

it("says hello first, under the protocol's name, and is online once welcomed", () => {
  connection.start();
  expect(exchange.last.subprotocol).toBe("kefu.v1");
  exchange.last.open();
  expect(exchange.last.sent).toEqual([{ type: "hello", v: 1, last_seq: 3, locale: "en" }]);
  expect(connection.send({ type: "ping" })).toBe(false);
  exchange.welcome();
  expect(links.at(-1)).toBe("online");
  expect(connection.send({ type: "ack", seq: 1 })).toBe(true);
});

describe("after a loss", () => {
  it("waits twice as long each time, up to half a minute", () => {
    clock.chance = 0.999_999;
    connection.start();
    const waits = [];
    for (let i = 0; i < 9; i += 1) {
      exchange.last.drop();
      waits.push(waitForDial());
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect(codes).toHaveLength(9);
  });

  it("spreads a crowd: at best half the delay", () => {
    clock.chance = 0;
    connection.start();
    exchange.last.drop();
    expect(waitForDial()).toBe(250);
  });

  it("starts from the shortest delay again once a link has held", () => {
    connection.start();
    for (let i = 0; i < 5; i += 1) {
      exchange.last.drop();
      waitForDial();
    }
    exchange.welcome();
    clock.advance(10_000);
    exchange.last.drop();
    expect(waitForDial()).toBe(250);
  });

  it("does not forgive a server that welcomes and drops at once", () => {
    connection.start();
    for (let i = 0; i < 4; i += 1) {
      exchange.welcome();
      exchange.last.drop();
      waitForDial();
    }
    exchange.welcome();
    exchange.last.drop();
    expect(waitForDial()).toBe(4000);
  });

  it("reconnects at once when woken, but does not disturb an attempt under way", () => {
    connection.start();
    exchange.last.drop();
    connection.wake();
    clock.advance(0);
    expect(exchange.sockets).toHaveLength(2);
    connection.wake();
    clock.advance(0);
    expect(exchange.sockets).toHaveLength(2);
  });

  it("does not call before the time a server has asked for", () => {
    connection.start();
    exchange.last.open();
    connection.hold(7000);
    exchange.last.drop();
    expect(waitForDial()).toBe(7000);
    exchange.last.drop();
    expect(waitForDial()).toBe(500);
  });

  it("says reconnecting first, and offline when it goes on", () => {
    connection.start();
    exchange.welcome();
    exchange.last.drop();
    expect(links.at(-1)).toBe("reconnecting");
    for (let i = 0; i < 3; i += 1) {
      waitForDial();
      exchange.last.drop();
    }
    expect(links.at(-1)).toBe("offline");
  });
});

describe("where no WebSocket comes through", () => {
  const ways = () => exchange.sockets.map((s) => (s.subprotocol === "events" ? "events" : "socket"));
  const fail = (times: number) => {
    for (let i = 0; i < times; i += 1) {
      exchange.last.drop();
      waitForDial();
    }
  };

  it("does without after the second that never opened, and takes turns until one way is through", () => {
    connection.start();
    fail(5);
    expect(ways()).toEqual(["socket", "socket", "events", "socket", "events", "socket"]);
  });

  it("stays with the way that is through", () => {
    connection.start();
    fail(2);
    for (let i = 0; i < 3; i += 1) {
      exchange.welcome();
      exchange.last.drop();
      waitForDial();
    }
    expect(ways()).toEqual(["socket", "socket", "events", "events", "events", "events"]);
  });

  it("never does without where a WebSocket has opened, however often it is lost", () => {
    connection.start();
    exchange.last.open();
    fail(6);
    expect(new Set(ways())).toEqual(new Set(["socket"]));
  });
});

describe("the pulse", () => {
  beforeEach(() => {
    connection.start();
    exchange.welcome();
  });
  const pings = () => exchange.last.sent.filter((f) => f.type === "ping").length;

  it("is a ping after 25 seconds of silence", () => {
    clock.advance(24_999);
    expect(pings()).toBe(0);
    clock.advance(1);
    expect(pings()).toBe(1);
    exchange.last.say({ type: "pong" });
    clock.advance(25_000);
    expect(pings()).toBe(2);
    expect(exchange.sockets).toHaveLength(1);
  });

  it("ends a link that does not answer, though no close ever came", () => {
    clock.advance(35_000);
    expect(exchange.last.closed).toBe(true);
    expect(links.at(-1)).toBe("reconnecting");
    expect(waitForDial()).toBeLessThanOrEqual(500);
  });

  it("tests the link when the browser says that the network is gone", () => {
    online = false;
    connection.sleep();
    exchange.last.say({ type: "pong" });
    clock.advance(3000);
    expect(links.at(-1)).toBe("online");
    connection.sleep();
    clock.advance(3000);
    expect(links.at(-1)).toBe("offline");
  });

  it("tests the link when the page is looked at again", () => {
    connection.wake();
    expect(pings()).toBe(1);
  });
});

it("gives up on a server that takes the call and says nothing", () => {
  connection.start();
  exchange.last.open();
  clock.advance(10_000);
  expect(exchange.last.closed).toBe(true);
  expect(waitForDial()).toBeLessThanOrEqual(500);
});

it("stays down once stopped, whatever still arrives", () => {
  connection.start();
  const socket = exchange.welcome();
  connection.stop();
  socket.drop();
  connection.restart();
  clock.advance(60_000);
  expect(exchange.sockets).toHaveLength(1);
  expect(links.at(-1)).toBe("idle");
});

it("keeps trying where the page's policy forbids the address", () => {
  const dials: string[] = [];
  const forbidden = new Connection({
    url: "wss://other.example/ws",
    clock,
    isOnline: () => true,
    dial: (url) => {
      dials.push(url);
      throw new DOMException("refused", "SecurityError");
    },
    listen: exchange.listen,
    hello: () => ({ type: "hello", v: 1, last_seq: 0, locale: "en" }),
    onFrame: () => undefined,
    onLink: (link) => links.push(link),
    onClosed: () => undefined,
  });
  forbidden.start();
  clock.advance(30_000);
  expect(dials.length).toBeGreaterThan(2);
  expect(exchange.sockets.length).toBeGreaterThan(0);
  forbidden.stop();
});
