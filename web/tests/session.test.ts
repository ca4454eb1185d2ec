/** The network core against a real server over real sockets, which is broken on purpose. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MockServer } from "../mock/server";
import type { Clock } from "../widget/core/clock";
import { realClock } from "../widget/core/clock";
import { Session } from "../widget/core/session";
import type { Shelf } from "../widget/core/shelf";
import type { Socket } from "../widget/core/socket";
import { Browser } from "./support/shelf";
import { NodeSocket } from "./support/websocket";

/** Real time, but ten times as fast: back-off and timeouts keep their proportions. */
const fastClock: Clock = { ...realClock, after: (ms, callback) => realClock.after(ms / 10, callback) };

const dial = (url: string, subprotocol: string) => new NodeSocket(url, subprotocol) as unknown as Socket;

let server: MockServer;
let origin: string;
let browser: Browser;
let open: Session[];

beforeEach(async () => {
  server = new MockServer();
  origin = await server.listen();
  browser = new Browser();
  open = [];
});
afterEach(async () => {
  for (const session of open) session.close();
  await server.close();
});

function tab(shelf: Shelf = browser.tab()): Session {
  const session = new Session({
    server: origin,
    channel: "web",
    shelf,
    clock: fastClock,
    locale: () => "en",
    changed: () => undefined,
    dial,
    isOnline: () => true,
  });
  open.push(session);
  return session;
}

function leave(session: Session): void {
  session.close();
  open = open.filter((s) => s !== session);
}

const until = (check: () => void) => vi.waitFor(check, { timeout: 4000, interval: 5 });
const texts = (session: Session) => session.state.messages.map((m) => m.text);
const seqs = (session: Session) => session.state.messages.map((m) => m.seq);
const settled = (session: Session, count: number) =>
  until(() => {
    expect(session.state.pending).toEqual([]);
    expect(session.state.messages).toHaveLength(count);
  });

/** Server and widget agree on every message, once each, in order. */
function expectInStep(session: Session): void {
  expect(session.state.messages.map((m) => [m.seq, m.role, m.text])).toEqual(
    server.last.messages.map((m) => [m.seq, m.role, m.text]),
  );
}

async function talk(session: Session, ...words: string[]): Promise<void> {
  session.start();
  for (const word of words) {
    const before = session.state.messages.length;
    session.send(word);
    await settled(session, before + 2);
  }
}

describe("a conversation", () => {
  it("goes to and fro, is read, and acknowledged only while it is shown", async () => {
    const session = tab();
    await talk(session, "one");
    expect(texts(session)).toEqual(["one", "You said: one"]);
    expect(session.state.readSeq).toBe(1);
    expect(server.last.acked).toBe(0);
    session.setShown(true);
    await until(() => expect(server.last.acked).toBe(2));
    session.setShown(false);
    await talk(session, "two");
    expect(server.last.acked).toBe(2);
  });

  it("goes on after a reload: shown at once, then brought up to date", async () => {
    const first = tab();
    await talk(first, "one");
    leave(first);
    server.commit(server.last, "later", 0, { text: "While you were away" });
    const second = tab();
    expect(texts(second)).toEqual(["one", "You said: one"]);
    expect(second.resumable).toBe(true);
    second.start();
    await settled(second, 3);
    expectInStep(second);
    expect(server.hellos.at(-1)).toMatchObject({ token: server.last.token, last_seq: 2, locale: "en" });
  });

  it("carries quick replies and votes", async () => {
    const session = tab();
    await talk(session, "What is the limit?");
    session.choose(2, "none", "Nothing for now");
    await settled(session, 4);
    expect(server.last.messages[2]).toMatchObject({ role: "customer", text: "Nothing for now" });
    session.vote(2, "down");
    await until(() => expect(server.last.messages[1]?.vote).toBe("down"));
    session.vote(2, null);
    await until(() => expect(server.last.messages[1]?.vote).toBeNull());
  });
});

describe("a link that breaks", () => {
  it("between storing and accepting does not double the message", async () => {
    const session = tab();
    server.faults.cutBeforeAccepted = 2;
    session.start();
    session.send("once");
    await settled(session, 2);
    expectInStep(session);
    expect(texts(session)).toEqual(["once", "You said: once"]);
  });

  it("again and again while much is said loses, doubles and reorders nothing", async () => {
    const session = tab();
    session.start();
    const words = Array.from({ length: 30 }, (_, i) => `word ${i}`);
    const chaos = setInterval(() => server.cutAll(), 40);
    for (const word of words) {
      session.send(word);
      await new Promise((done) => setTimeout(done, 12));
    }
    clearInterval(chaos);
    await settled(session, 60);
    expectInStep(session);
    const said = session.state.messages.filter((m) => m.role === "customer").map((m) => m.text);
    expect(said).toEqual(words);
  });

  it("queues what is written meanwhile, through a reload", async () => {
    const first = tab();
    await talk(first, "before");
    server.faults.refuseHello = true;
    server.cutAll();
    first.send("in the tunnel");
    leave(first);
    server.faults.refuseHello = false;
    const second = tab();
    expect(second.state.pending).toMatchObject([{ text: "in the tunnel", phase: "queued" }]);
    second.start();
    await settled(second, 4);
    expectInStep(second);
  });

  it("and a message that never came is fetched by reconnecting", async () => {
    const session = tab();
    await talk(session, "one");
    server.faults.swallowFinal = 1;
    server.commit(server.last, "x", 0, { text: "lost on the way" });
    server.commit(server.last, "y", 0, { text: "arrived" });
    await until(() => expect(seqs(session)).toEqual([1, 2, 4]));
    await until(() => expect(seqs(session)).toEqual([1, 2, 3, 4]));
    expectInStep(session);
    expect(server.hellos.at(-1)?.last_seq).toBe(2);
  });

  it("sends votes that were given meanwhile", async () => {
    const session = tab();
    await talk(session, "limit?");
    server.cutAll();
    await until(() => expect(session.state.link).not.toBe("online"));
    session.vote(2, "up");
    await until(() => expect(server.last.messages[1]?.vote).toBe("up"));
  });
});

describe("a server that says no", () => {
  it("for now is asked again after its time", async () => {
    const session = tab();
    session.start();
    server.faults.refuse = [{ code: "rate_limited", retry_after: 2 }];
    session.send("patience");
    await until(() => expect(session.state.pending[0]?.phase).toBe("waiting"));
    await settled(session, 2);
    expectInStep(session);
  });

  it("for good leaves the message failed, and others go through", async () => {
    const session = tab();
    session.start();
    server.faults.refuse = [{ code: "too_large" }];
    session.send("never");
    session.send("but this");
    await until(() => expect(session.state.messages).toHaveLength(2));
    expect(session.state.pending).toMatchObject([{ text: "never", phase: "failed", reason: "too_large" }]);
  });

  it("nothing at all: the message fails after three links, and goes out by one click", async () => {
    const session = tab();
    server.faults.deaf = true;
    session.start();
    session.send("hello?");
    await until(() => expect(session.state.pending[0]?.phase).toBe("failed"));
    server.faults.deaf = false;
    session.retry(session.state.pending[0]?.id ?? "");
    await settled(session, 2);
    expectInStep(session);
  });

  it("to the token begins a new session, with a notice and with what was not sent yet", async () => {
    const session = tab();
    await talk(session, "old");
    server.expireAll();
    session.send("new");
    await until(() => expect(texts(session)).toEqual(["new", "You said: new"]));
    expect(session.state.notice).toBe("expired");
    expectInStep(session);
  });

  it("to having the messages makes the widget show what the server has", async () => {
    const session = tab();
    await talk(session, "one", "two");
    server.last.messages.length = 2;
    server.cutAll();
    await until(() => expect(texts(session)).toEqual(["one", "You said: one"]));
    expect(session.state.notice).toBe("forgotten");
  });
});

describe("several tabs", () => {
  it("show the same, and reading in one is reading in all", async () => {
    const [one, two] = [tab(), tab()];
    await talk(one, "from one");
    await until(() => expect(texts(two)).toEqual(["from one", "You said: from one"]));
    two.setShown(true);
    await until(() => expect(one.state.seenSeq).toBe(2));
    await talk(two, "from two");
    await settled(one, 4);
    expectInStep(one);
    expectInStep(two);
    expect(server.conversations).toHaveLength(1);
  });

  it("are told what is read though nothing more comes", async () => {
    const [one, two] = [tab(), tab()];
    await talk(one, "from one");
    await settled(two, 2);
    two.save(); // nothing is about to be any more
    two.setShown(true);
    await until(() => expect(one.state.seenSeq).toBe(2));
  });

  it("begin a new conversation together", async () => {
    const [one, two] = [tab(), tab()];
    await talk(one, "old");
    await settled(two, 2);
    one.begin();
    await until(() => expect(two.state.conversation).toBe(one.state.conversation));
    await talk(two, "new");
    await settled(one, 2);
    expect(texts(one)).toEqual(["new", "You said: new"]);
  });

  it("end together: nothing is left in the browser", async () => {
    const shelf = browser.tab();
    const [one, two] = [tab(shelf), tab()];
    await talk(one, "secret");
    await settled(two, 2);
    one.end();
    expect(two.state.messages).toEqual([]);
    await new Promise((done) => setTimeout(done, 60));
    expect(shelf.keys("")).toEqual([]);
    two.send("again");
    await settled(two, 2);
    expect(server.conversations).toHaveLength(2);
  });
});

it("says the new locale to the server, unless that would cut a sentence short", async () => {
  let locale: "en" | "zh" = "en";
  const session = new Session({
    server: origin,
    channel: "web",
    shelf: browser.tab(),
    clock: fastClock,
    locale: () => locale,
    changed: () => undefined,
    dial,
    isOnline: () => true,
  });
  open.push(session);
  await talk(session, "one");
  locale = "zh";
  session.localeChanged();
  await until(() => expect(server.hellos.at(-1)?.locale).toBe("zh"));
  expect(server.hellos).toHaveLength(2);
});

describe("a long conversation", () => {
  it("is asked for beyond what the browser keeps, once, and comes whole", async () => {
    const shelf = browser.tab();
    const first = tab(shelf);
    first.start();
    await until(() => expect(first.state.link).toBe("online"));
    for (let i = 1; i <= 230; i += 1) server.commit(server.last, `t${i}`, 0, { text: `m${i}` });
    await settled(first, 230);
    leave(first);
    const next = tab(shelf);
    next.start();
    await until(() => expect(next.state.link).toBe("online"));
    expect([seqs(next)[0], seqs(next).length, next.hasOlder]).toEqual([31, 200, true]);
    next.older();
    expect(next.hasOlder).toBe(false);
    await settled(next, 230);
    expect(seqs(next)).toEqual(Array.from({ length: 230 }, (_, i) => i + 1));
    expect([next.fetching, server.hellos.map((h) => h.last_seq)]).toEqual([false, [0, 230, 0]]);
  });
});

describe("an earlier conversation", () => {
  it("is gone on with, and other tabs follow", async () => {
    const [one, two] = [tab(), tab()];
    one.start();
    two.start();
    one.send("first");
    await settled(one, 2);
    one.begin();
    await until(() => expect(one.state.link).toBe("online"));
    one.send("second");
    await settled(one, 2);
    const [saved] = one.past;
    expect(one.past).toHaveLength(1);
    if (saved) one.reopen(saved);
    await until(() => expect(texts(one)[0]).toBe("first"));
    one.send("third");
    await settled(one, 4);
    await until(() => expect(texts(two)).toEqual(texts(one)));
    expect(server.conversations.at(-1)?.messages.map((m) => m.text)).toContain("second");
  });
});
