import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pack, Records, unpack } from "../widget/core/record";
import { EMPTY, type State } from "../widget/core/state";
import { Browser } from "./support/shelf";

const message = (seq: number) => ({
  seq,
  role: "bot" as const,
  text: `m${seq}`,
  at: "2025-01-01T00:00:00Z",
  quick_replies: [],
  citations: [],
  vote: null,
  rateable: false,
});
const state = (count: number): State => ({
  ...EMPTY,
  conversation: "c",
  status: "human",
  messages: Array.from({ length: count }, (_, i) => message(i + 1)),
  lastSeq: count,
  readSeq: 1,
  seenSeq: 2,
});

describe("earlier conversations", () => {
  const at = Date.parse("2025-01-02T00:00:00Z");
  const lay = (records: Records, ...names: string[]) => {
    for (const [i, conversation] of names.entries()) {
      const day = `2025-01-0${i + 1}T00:00:00Z`;
      const messages = state(1).messages.map((m) => ({ ...m, at: day }));
      records.layAside("t", 1, { ...state(1), conversation, messages });
    }
  };
  const names = (records: Records, now = at) => records.past(now).map(({ kept }) => kept.conversation);

  it("are listed with the newest first, and the five newest are kept", () => {
    const records = new Records(new Browser().tab(), "s", "c");
    lay(records, "a", "b", "c", "d", "e", "f");
    expect(names(records)).toEqual(["f", "e", "d", "c", "b"]);
  });

  it("are not offered once the server has let them go", () => {
    const records = new Records(new Browser().tab(), "s", "c");
    lay(records, "a", "b");
    expect(names(records, Date.parse("2025-01-31T12:00:00Z"))).toEqual(["b"]);
  });

  it("go with everything else when the customer clears it", () => {
    const shelf = new Browser().tab();
    const records = new Records(shelf, "s", "c");
    records.save("t", 1, state(1));
    lay(records, "a");
    records.clear();
    expect(shelf.keys("")).toEqual([]);
  });
});

describe("what is kept", () => {
  it("comes back as it was", () => {
    const saved = unpack(pack("t", 7, state(3)));
    const { conversation, status, messages, lastSeq, readSeq, seenSeq } = state(3);
    expect(saved).toEqual({
      token: "t",
      epoch: 7,
      kept: { conversation, status, messages, lastSeq, readSeq, seenSeq },
    });
  });

  it("is the last 200 messages", () => {
    const kept = unpack(pack("t", 7, state(250)))?.kept;
    expect(kept?.messages.map((m) => m.seq)).toEqual(Array.from({ length: 200 }, (_, i) => i + 51));
    expect(kept?.lastSeq).toBe(250);
  });

  it("is asked for again from the start where a message is damaged", () => {
    const raw = JSON.parse(pack("t", 7, state(3)));
    delete raw.messages[1].text;
    expect(unpack(JSON.stringify(raw))?.kept).toMatchObject({ messages: [], lastSeq: 0, conversation: "c" });
  });

  it("is nothing where anything else stands in its place", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string(), fc.constant(null)), (junk) => {
        expect(unpack(junk)).toBeNull();
      }),
    );
  });
});

it("never overwrites the younger session of another tab", () => {
  const browser = new Browser();
  const [old, young] = [new Records(browser.tab(), "s", "web"), new Records(browser.tab(), "s", "web")];
  young.save("young", 2, state(1));
  old.save("old", 1, state(3));
  expect(old.load()?.token).toBe("young");
});

it("keeps channels and servers apart", () => {
  const shelf = new Browser().tab();
  new Records(shelf, "s", "web").save("a", 1, state(1));
  expect(new Records(shelf, "s", "shop").load()).toBeNull();
  expect(new Records(shelf, "other", "web").load()).toBeNull();
});
