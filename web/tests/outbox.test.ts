import { beforeEach, describe, expect, it } from "vitest";
import { Outbox } from "../widget/core/outbox";
import type { ClientFrame } from "../widget/core/protocol";
import type { Shelf } from "../widget/core/shelf";
import type { Pending } from "../widget/core/state";
import { FakeClock } from "./support/clock";
import { Browser } from "./support/shelf";

let clock: FakeClock;
let browser: Browser;
beforeEach(() => {
  clock = new FakeClock();
  browser = new Browser();
});

function open(shelf: Shelf = browser.tab(), linked = true) {
  const sent: ClientFrame[] = [];
  const link = { up: linked, stalls: 0 };
  let pending: readonly Pending[] = [];
  const outbox = new Outbox({
    shelf,
    clock,
    prefix: "k:",
    transmit: (frame) => link.up && sent.push(frame) > 0,
    changed: (now) => {
      pending = now;
    },
    stalled: () => {
      link.stalls += 1;
      outbox.unlinked();
      outbox.linked();
    },
  });
  const ids = () => sent.map((f) => ("id" in f ? f.id : f.type));
  return {
    outbox,
    sent,
    link,
    ids,
    phases: () => pending.map((p) => `${p.id}:${p.phase}`),
    pending: () => pending,
  };
}

const say = (outbox: Outbox, ...ids: string[]) => {
  for (const id of ids) outbox.add({ id, text: `text ${id}` });
};

describe("order", () => {
  it("sends one at a time", () => {
    const { outbox, ids, phases } = open();
    say(outbox, "a", "b");
    expect(ids()).toEqual(["a"]);
    expect(phases()).toEqual(["a:sending", "b:queued"]);
    outbox.settle("a");
    expect(ids()).toEqual(["a", "b"]);
  });

  it("holds through a refusal for now", () => {
    const { outbox, ids, phases, pending } = open();
    say(outbox, "a", "b");
    expect(outbox.refused("a", "rate_limited", 7)).toBe(true);
    expect(phases()).toEqual(["a:waiting", "b:queued"]);
    expect(pending()[0]?.until).toBe(clock.now() + 7000);
    clock.advance(6999);
    expect(ids()).toEqual(["a"]);
    clock.advance(1);
    expect(ids()).toEqual(["a", "a"]);
    outbox.settle("a");
    expect(ids()).toEqual(["a", "a", "b"]);
  });
});

describe("failing", () => {
  it("is final for what the server will never take, and the next goes out", () => {
    const { outbox, ids, phases } = open();
    say(outbox, "a", "b");
    outbox.refused("a", "too_large", 0);
    expect(phases()).toEqual(["a:failed", "b:sending"]);
    expect(ids()).toEqual(["a", "b"]);
  });

  it("comes after three refusals of a server in trouble, with longer waits between", () => {
    const { outbox, phases } = open();
    say(outbox, "a");
    outbox.refused("a", "overloaded", 0);
    clock.advance(2000);
    expect(phases()).toEqual(["a:sending"]);
    outbox.refused("a", "internal", 0);
    clock.advance(3999);
    expect(phases()).toEqual(["a:waiting"]);
    clock.advance(1);
    outbox.refused("a", "overloaded", 0);
    expect(phases()).toEqual(["a:failed"]);
  });

  it("never comes of being asked to wait, however often", () => {
    const { outbox, phases } = open();
    say(outbox, "a");
    for (let i = 0; i < 20; i += 1) {
      outbox.refused("a", "rate_limited", 1);
      clock.advance(1000);
    }
    expect(phases()).toEqual(["a:sending"]);
  });

  it("comes after three links that took the message and were silent", () => {
    const { outbox, link, phases, ids } = open();
    say(outbox, "a");
    clock.advance(12_000);
    clock.advance(12_000);
    expect(link.stalls).toBe(2);
    clock.advance(12_000);
    expect(phases()).toEqual(["a:failed"]);
    outbox.retry("a");
    expect(ids()).toEqual(["a", "a", "a", "a"]);
    outbox.settle("a");
    expect(phases()).toEqual([]);
  });

  it("survives a reload, and can be undone by one click or dropped", () => {
    const shelf = browser.tab();
    const first = open(shelf);
    say(first.outbox, "a", "b");
    first.outbox.refused("a", "too_large", 0);
    first.outbox.refused("b", "too_large", 0);
    first.outbox.close();
    const second = open(browser.tab());
    expect(second.phases()).toEqual(["a:failed", "b:failed"]);
    second.outbox.retry("a");
    second.outbox.discard("b");
    expect(second.ids()).toEqual(["a"]);
    expect(second.phases()).toEqual(["a:sending"]);
  });
});

describe("a link that comes back in another tab", () => {
  it("takes out what was left behind, and nothing that is settled", () => {
    const [one, two] = [open(), open(browser.tab(), false)];
    say(one.outbox, "a", "b");
    browser.busy();
    one.outbox.settle("a");
    expect(two.phases()).toEqual(["a:queued", "b:queued"]);
    two.link.up = true;
    two.outbox.linked();
    expect(two.ids()).toEqual(["b"]);
    expect(two.phases()).toEqual(["b:sending"]);
  });
});

describe("without a link", () => {
  it("keeps messages through a reload and sends them with their ids, in order", () => {
    const offline = open(browser.tab(), false);
    say(offline.outbox, "a", "b");
    offline.outbox.add({ id: "c", text: "Yes", choice: { of: 4, value: "yes" } });
    offline.outbox.close();
    const later = open(browser.tab(), false);
    expect(later.phases()).toEqual(["a:queued", "b:queued", "c:queued"]);
    later.link.up = true;
    later.outbox.linked();
    later.outbox.settle("a");
    later.outbox.settle("b");
    expect(later.sent).toEqual([
      { type: "message", id: "a", text: "text a" },
      { type: "message", id: "b", text: "text b" },
      { type: "choice", id: "c", of: 4, value: "yes", label: "Yes" },
    ]);
  });

  it("sends again what was under way when the link broke", () => {
    const { outbox, link, ids } = open();
    say(outbox, "a");
    link.up = false;
    outbox.unlinked();
    link.up = true;
    outbox.linked();
    expect(ids()).toEqual(["a", "a"]);
  });
});

describe("two tabs", () => {
  it("show one another's messages, and only the author sends", () => {
    const [one, two] = [open(), open()];
    say(one.outbox, "a");
    expect(two.phases()).toEqual(["a:queued"]);
    expect(two.ids()).toEqual([]);
    one.outbox.settle("a");
    expect(two.ids()).toEqual([]);
  });

  it("take over what a tab left behind when it was closed", () => {
    const [one, two] = [open(browser.tab(), false), open()];
    say(one.outbox, "a");
    one.outbox.close();
    clock.advance(15_000);
    expect(two.ids()).toEqual(["a"]);
  });

  it("drop what the other has settled", () => {
    const [one, two] = [open(), open()];
    say(one.outbox, "a");
    expect(two.phases()).toEqual(["a:queued"]);
    one.outbox.settle("a");
    expect(two.phases()).toEqual([]);
    clock.advance(15_000);
    expect(two.ids()).toEqual([]);
  });

  it("show nothing as unsent whose news comes after it was settled", () => {
    const [one, two] = [open(), open()];
    const idle = browser.busy();
    say(one.outbox, "a");
    two.outbox.settle("a");
    one.outbox.settle("a");
    idle();
    expect(two.phases()).toEqual([]);
  });

  it("shows a message under way once, whatever the other hears of it", () => {
    const [one, two] = [open(), open()];
    const idle = browser.busy();
    say(one.outbox, "a");
    clock.advance(1);
    say(two.outbox, "b");
    idle();
    expect(one.phases()).toEqual(["a:sending", "b:queued"]);
    expect(two.phases()).toEqual(["a:queued", "b:sending"]);
  });

  it("drop a failed message in both", () => {
    const [one, two] = [open(), open()];
    say(one.outbox, "a");
    one.outbox.refused("a", "too_large", 0);
    expect(two.phases()).toEqual(["a:failed"]);
    one.outbox.discard("a");
    expect(two.phases()).toEqual([]);
  });
});

it("skips what somebody else wrote under its keys", () => {
  const shelf = browser.tab();
  shelf.set("k:out:x", "{nonsense");
  shelf.set("k:out:y", JSON.stringify({ id: 1 }));
  expect(open(browser.tab()).phases()).toEqual([]);
});
