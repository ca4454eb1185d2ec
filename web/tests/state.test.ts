import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseFrame } from "../widget/core/protocol";
import { EMPTY, type Event, hasGap, type Pending, reduce, type State, unread } from "../widget/core/state";
import { welcome } from "./support/sockets";

const frame = (raw: Record<string, unknown>): Event => {
  const parsed = parseFrame(JSON.stringify(raw));
  if (!parsed) throw new Error("no frame");
  return { type: "frame", frame: parsed };
};
const final = (seq: number, extra: Record<string, unknown> = {}) =>
  frame({ type: "final", seq, role: "bot", text: `m${seq}`, at: "2025-01-01T00:00:00Z", ...extra });
const customer = (seq: number, id: string) => final(seq, { role: "customer", id });
const delta = (text: string, turn = "t1", attempt = 0) => frame({ type: "delta", turn, attempt, text });
const play = (...events: Event[]): State => events.reduce(reduce, EMPTY);
const queued = (id: string): Pending => ({ id, text: `text ${id}`, at: 1, phase: "sending" });
const begin = frame(welcome());

describe("committed messages", () => {
  it("come in order whatever the order they arrive in, each once", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 30 }), (seqs) => {
        const state = play(begin, ...seqs.map((seq) => final(seq)));
        const shown = state.messages.map((m) => m.seq);
        expect(shown).toEqual([...new Set(seqs)].sort((a, b) => a - b));
        let expected = 0;
        while (seqs.includes(expected + 1)) expected += 1;
        expect(state.lastSeq).toBe(expected);
        expect(hasGap(state)).toBe(shown.length > expected);
      }),
    );
  });

  it("are not shown again below what is known after a resume", () => {
    const kept = {
      conversation: "c1",
      status: "bot" as const,
      messages: [],
      lastSeq: 5,
      readSeq: 0,
      seenSeq: 5,
    };
    const state = play({ type: "restored", kept }, frame(welcome({ seq: 6 })), final(5), final(6));
    expect(state.messages.map((m) => m.seq)).toEqual([6]);
  });

  it("count as unread until seen, the customer's own never", () => {
    const state = play(begin, customer(1, "a"), final(2), final(3, { role: "agent" }));
    expect(unread(state).map((m) => m.seq)).toEqual([2, 3]);
    expect(unread(reduce(state, { type: "seen", seq: 3 }))).toEqual([]);
    expect(reduce(state, { type: "seen", seq: 0 }).seenSeq).toBe(0);
  });
});

describe("own messages", () => {
  it("move from pending to committed on accepted", () => {
    const state = play(
      begin,
      { type: "outbox", pending: [queued("a"), queued("b")] },
      frame({ type: "accepted", id: "a", seq: 1, at: "2025-01-01T00:00:00Z", duplicate: false }),
    );
    expect(state.pending.map((p) => p.id)).toEqual(["b"]);
    expect(state.messages).toMatchObject([{ seq: 1, role: "customer", text: "text a", id: "a" }]);
  });

  it("are settled by a replayed final of the same id, and a late accepted does nothing", () => {
    const state = play(begin, { type: "outbox", pending: [queued("a")] }, customer(1, "a"));
    const later = reduce(state, frame({ type: "accepted", id: "a", seq: 1, at: "x", duplicate: true }));
    expect(state.pending).toEqual([]);
    expect(later.messages).toHaveLength(1);
  });

  it("are read once the bot says so or has answered", () => {
    expect(play(begin, customer(1, "a"), frame({ type: "read", seq: 1 })).readSeq).toBe(1);
    expect(play(begin, customer(1, "a"), final(2)).readSeq).toBe(1);
  });
});

describe("provisional text", () => {
  it("grows, and is replaced by the final of its turn", () => {
    const growing = play(begin, delta("Hel"), delta("lo"));
    expect(growing.drafts).toEqual([{ turn: "t1", attempt: 0, text: "Hello" }]);
    const done = reduce(growing, final(1, { turn: "t1" }));
    expect(done.drafts).toEqual([]);
    expect(done.streamed).toEqual(["t1"]);
  });

  it("disappears when withdrawn, and a new attempt starts afresh", () => {
    const withdrawn = play(begin, delta("Wrong"), frame({ type: "withdraw", turn: "t1", attempt: 0 }));
    expect(withdrawn.drafts).toEqual([]);
    const again = [delta("Wrong"), delta("Right", "t1", 1), delta(" late", "t1", 0)];
    expect(play(begin, ...again).drafts).toEqual([{ turn: "t1", attempt: 1, text: "Right" }]);
  });

  it("never follows its final, even if the final is a repetition", () => {
    const state = play(begin, final(1, { turn: "t1" }), delta("late"), final(1, { turn: "t1" }));
    expect(state.drafts).toEqual([]);
    expect(state.messages).toHaveLength(1);
  });

  it("is dropped with the link, and not taken up in the middle of a sentence", () => {
    const lost = play(begin, customer(1, "a"), delta("The first half"), {
      type: "link",
      link: "reconnecting",
    });
    expect(lost.drafts).toEqual([]);
    const resumed = [frame(welcome({ seq: 1 })), delta(" and the second")].reduce(reduce, lost);
    expect(resumed.drafts).toEqual([]);
    expect(resumed.typing).toBe(true);
    const nextTurn = [final(2, { turn: "t1" }), delta("Whole", "t2")].reduce(reduce, resumed);
    expect(nextTurn.drafts).toEqual([{ turn: "t2", attempt: 0, text: "Whole" }]);
  });

  it("is shown after a resume when the turn begins after it", () => {
    const resumed = play(begin, customer(1, "a"), frame(welcome({ seq: 1 })));
    const state = [frame({ type: "read", seq: 1 }), delta("From the start")].reduce(reduce, resumed);
    expect(state.drafts).toHaveLength(1);
  });

  it("stays while the customer is passed on, and goes when a person holds the conversation", () => {
    const waiting = play(begin, delta("I pass you on"), frame({ type: "status", status: "waiting" }));
    expect(waiting.drafts).toHaveLength(1);
    expect(reduce(waiting, frame({ type: "status", status: "human" })).drafts).toEqual([]);
  });
});

describe("a server that knows less", () => {
  const long = () => play(begin, customer(1, "a"), final(2));

  it("makes the widget forget what is shown", () => {
    const state = reduce(long(), frame(welcome({ seq: 0 })));
    expect(state).toMatchObject({ messages: [], lastSeq: 0, notice: "forgotten" });
  });

  it("or has another conversation under the token", () => {
    const state = reduce(long(), frame(welcome({ conversation: "c2", seq: 9 })));
    expect(state).toMatchObject({ messages: [], lastSeq: 0, conversation: "c2" });
  });

  it("keeps what the customer has yet to send", () => {
    const state = reduce({ ...long(), pending: [queued("b")] }, { type: "forgotten", notice: "expired" });
    expect(state.pending.map((p) => p.id)).toEqual(["b"]);
    expect(state.notice).toBe("expired");
  });
});

it("shows a vote at once and takes the server's word for it", () => {
  const state = play(begin, final(1, { rateable: true }), { type: "voted", of: 1, vote: "up" });
  expect(state.messages[0]?.vote).toBe("up");
  expect(reduce(state, frame({ type: "feedback", of: 1, vote: null })).messages[0]?.vote).toBeNull();
});
