import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clean, countCharacters, newId, parseFrame, readMessage } from "../widget/core/protocol";

const parse = (frame: unknown) => parseFrame(JSON.stringify(frame));

describe("parseFrame", () => {
  it("reads a final with everything a message can carry", () => {
    const frame = parse({
      type: "final",
      seq: 3,
      role: "bot",
      text: "Yes.[1]",
      at: "2025-01-01T00:00:00Z",
      turn: "t",
      attempt: 1,
      quick_replies: [{ label: "More", value: "more" }, { value: "no label" }],
      citations: [{ mark: 1, title: "T", snippet: "S", url: "https://x.example/" }, { title: "no mark" }],
      vote: "up",
      rateable: true,
      of_a_later_version: 1,
    });
    expect(frame).toEqual({
      type: "final",
      message: {
        seq: 3,
        role: "bot",
        text: "Yes.[1]",
        at: "2025-01-01T00:00:00Z",
        turn: "t",
        quick_replies: [{ label: "More", value: "more" }],
        citations: [{ mark: 1, title: "T", snippet: "S", url: "https://x.example/" }],
        vote: "up",
        rateable: true,
      },
    });
  });

  it.each([
    ["no JSON", "{"],
    ["a type of a later version", JSON.stringify({ type: "hologram" })],
    ["a final without seq", JSON.stringify({ type: "final", role: "bot", text: "x" })],
    ["a final with an unknown role", JSON.stringify({ type: "final", seq: 1, role: "ghost", text: "x" })],
    ["a welcome without a token", JSON.stringify({ type: "welcome", conversation: "c" })],
    ["binary data", new ArrayBuffer(3)],
  ])("drops %s", (_, data) => expect(parseFrame(data)).toBeNull());

  it("keeps ref and retry_after of an error", () => {
    expect(parse({ type: "error", error: { code: "rate_limited", ref: "m1", retry_after: 7 } })).toEqual({
      type: "error",
      error: { code: "rate_limited", ref: "m1", retryAfter: 7 },
    });
  });

  it("survives any JSON", () => {
    const types = fc.constantFrom(
      "welcome",
      "final",
      "delta",
      "error",
      "accepted",
      "status",
      "feedback",
      "x",
    );
    fc.assert(
      fc.property(fc.object(), types, (object, type) => {
        parse({ ...object, type });
        parse({ type, bot: object, error: object, citations: [object], quick_replies: [object] });
        readMessage(object);
      }),
    );
  });
});

describe("clean", () => {
  // Any UTF-16 at all: halves of characters, and control characters more often than chance has it.
  const unit = fc.oneof(fc.integer({ min: 0, max: 0xff }), fc.integer({ min: 0, max: 0xffff }));
  const codeUnits = fc.array(unit, { maxLength: 30 }).map((units) => String.fromCharCode(...units));
  it("takes out what the server would, and halves of characters", () => {
    expect(clean(" a\u0000b\u0007\tc\r\nd\u009f \ud83d ")).toBe("ab\tc\nd \ufffd");
  });
  it("is idempotent and leaves no control character", () => {
    fc.assert(
      fc.property(codeUnits, (raw) => {
        const once = clean(raw);
        expect(clean(once)).toBe(once);
        expect(once.replaceAll(/[\n\t]/g, "")).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});

it("counts characters as the server does", () => {
  expect(countCharacters("a客😀")).toBe(3);
});

it("makes ids of the protocol's alphabet that do not repeat", () => {
  const ids = Array.from({ length: 500 }, newId);
  for (const id of ids) expect(id).toMatch(/^[\w-]{22}$/);
  expect(new Set(ids).size).toBe(500);
});
