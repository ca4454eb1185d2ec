// @vitest-environment happy-dom
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { Message } from "../widget/core/protocol";
import { EMPTY, type Link, type State } from "../widget/core/state";
import { STRINGS } from "../widget/strings";
import { isSendKey } from "../widget/view/composer";
import { type Child, draw, h } from "../widget/view/dom";
import { statusOf } from "../widget/view/header";
import { isFresh, openOffer, rows } from "../widget/view/rows";

const host = () => document.createElement("div");

describe("draw", () => {
  it("keeps an element while its text grows", () => {
    const root = host();
    draw(root, [<p key="a">One</p>]);
    const [p, text] = [root.firstChild, root.firstChild?.firstChild];
    draw(root, [<p key="a">One two</p>]);
    expect(root.firstChild).toBe(p);
    expect(p?.firstChild).toBe(text);
    expect(root.textContent).toBe("One two");
  });

  it("does not disturb neighbours of what comes and goes", () => {
    const root = host();
    const view = (on: boolean): Child[] => [on && <i />, on && [<b key="b" />, <u key="u" />], <textarea />];
    draw(root, view(false));
    const area = root.querySelector("textarea");
    draw(root, view(true));
    expect([...root.children].map((c) => c.localName)).toEqual(["i", "b", "u", "textarea"]);
    draw(root, view(false));
    expect(root.querySelector("textarea")).toBe(area);
    expect(root.children).toHaveLength(1);
  });

  it("replaces listeners instead of adding them, and takes attributes away", () => {
    const root = host();
    const [first, second] = [vi.fn(), vi.fn()];
    draw(root, [<button type="button" onclick={first} aria-expanded={false} disabled={true} title="x" />]);
    draw(root, [<button type="button" onclick={second} aria-expanded={true} disabled={false} />]);
    const button = root.querySelector("button");
    button?.click();
    expect([first.mock.calls.length, second.mock.calls.length]).toEqual([0, 1]);
    expect(button?.getAttribute("aria-expanded")).toBe("true");
    expect(button?.hasAttribute("title")).toBe(false);
    expect(button?.hasAttribute("disabled")).toBe(false);
  });

  it("lets an event take its course, whatever a listener returns", () => {
    const root = host();
    draw(root, [<textarea onkeydown={() => false} />]);
    const event = new KeyboardEvent("keydown", { key: "a", cancelable: true });
    root.querySelector("textarea")?.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(false);
  });

  it("sets a field's text even where it believes that nothing changed", () => {
    const root = host();
    draw(root, [<textarea value="" />]);
    const area = root.querySelector("textarea") as HTMLTextAreaElement;
    area.value = "typed";
    draw(root, [<textarea value="" />]);
    expect(area.value).toBe("");
  });

  it("draws pictures in their own namespace", () => {
    const root = host();
    draw(root, [
      <svg aria-hidden="true">
        <path d="M0 0" />
      </svg>,
    ]);
    expect(root.querySelector("path")?.namespaceURI).toBe("http://www.w3.org/2000/svg");
  });

  it("ends at the same document by any way", () => {
    const keys = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e"));
    const shape = fc.tuple(keys, fc.boolean(), fc.string());
    const view = ([list, on, text]: [string[], boolean, string]): Child[] => [
      on ? <b>{text}</b> : <i title={text} />,
      list.map((key) => (
        <li key={key} class={on ? "on" : null}>
          {key + text}
        </li>
      )),
      on && text,
      <p>{list.length > 2 && <u />}</p>,
    ];
    fc.assert(
      fc.property(fc.array(shape, { minLength: 1, maxLength: 6 }), (steps) => {
        const [root, fresh] = [host(), host()];
        for (const step of steps) draw(root, view(step));
        draw(fresh, view(steps.at(-1) as [string[], boolean, string]));
        expect(root.isEqualNode(fresh)).toBe(true);
      }),
    );
  });

  it("moves elements with their keys", () => {
    const root = host();
    const view = (order: string) => [[...order].map((key) => <li key={key}>{key}</li>)];
    draw(root, view("abc"));
    const [a, b, c] = [...root.children];
    draw(root, view("cxa"));
    expect(root.textContent).toBe("cxa");
    expect(root.children[0]).toBe(c);
    expect(root.children[2]).toBe(a);
    expect(b?.isConnected).toBe(false);
  });
});

const message = (seq: number, role: Message["role"], extra: Partial<Message> = {}): Message => ({
  seq,
  role,
  text: `m${seq}`,
  at: `2025-03-0${seq}T12:00:00`,
  quick_replies: [],
  citations: [],
  vote: null,
  rateable: false,
  ...extra,
});
const offer = [{ label: "Yes", value: "yes" }];

describe("rows", () => {
  it("keep their keys from the first letter to the commit", () => {
    const now = new Date("2025-03-01T12:00:00");
    const keys = (state: Partial<State>) => rows({ ...EMPTY, ...state }, now).map((r) => r.key);
    const pending = [{ id: "a", text: "x", at: now.getTime(), phase: "sending" as const }];
    expect(keys({ pending }).at(-1)).toBe(keys({ messages: [message(1, "customer", { id: "a" })] }).at(-1));
    const drafts = [{ turn: "t", attempt: 0, text: "x" }];
    expect(keys({ drafts }).at(-1)).toBe(keys({ messages: [message(1, "bot", { turn: "t" })] }).at(-1));
  });

  it("are unique even where one turn has two messages", () => {
    const messages = [message(1, "bot", { turn: "t" }), message(2, "bot", { turn: "t" })];
    const keys = rows({ ...EMPTY, messages }, new Date()).map((r) => r.key);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("are parted by days", () => {
    const messages = [message(1, "bot", { at: "2025-03-01T23:00:00" }), message(2, "bot")];
    expect(rows({ ...EMPTY, messages }, new Date()).map((r) => r.kind)).toEqual([
      "day",
      "message",
      "day",
      "message",
    ]);
  });
});

describe("quick replies", () => {
  const replies = (...messages: Message[]) => openOffer({ ...EMPTY, messages });
  it("are offered until the customer says something", () => {
    const asked = message(1, "bot", { quick_replies: offer });
    expect(replies(asked)).toEqual({ of: 1, replies: offer, person: null });
    expect(replies(asked, message(2, "bot"))).toEqual({ of: 1, replies: offer, person: null });
    expect(replies(asked, message(2, "customer"))).toBeNull();
    const pending = [{ id: "a", text: "x", at: 0, phase: "queued" as const }];
    expect(openOffer({ ...EMPTY, messages: [asked], pending })).toBeNull();
  });
  it("leave a person to the composer, which has a button for one already", () => {
    const person = { label: "Talk to a person", value: "person" };
    const offered = replies(message(1, "bot", { quick_replies: [...offer, person] }));
    expect(offered).toEqual({ of: 1, replies: offer, person: { of: 1, label: person.label } });
  });
  it("are not offered by an older question", () => {
    const later = [{ label: "No", value: "no" }];
    const both = [message(1, "bot", { quick_replies: offer }), message(2, "bot", { quick_replies: later })];
    expect(replies(...both)).toEqual({ of: 2, replies: later, person: null });
  });
});

it("suggests questions only to those who have not asked any", () => {
  expect(isFresh(EMPTY)).toBe(true);
  expect(isFresh({ ...EMPTY, messages: [message(1, "bot")] })).toBe(true);
  expect(isFresh({ ...EMPTY, messages: [message(1, "customer")] })).toBe(false);
});

it("sends by Enter, but not by the Enter that ends the writing of a Chinese word", () => {
  const key = (init: KeyboardEventInit & { keyCode?: number }) => {
    const event = new KeyboardEvent("keydown", { key: "Enter", ...init });
    if (init.keyCode) Object.defineProperty(event, "keyCode", { value: init.keyCode });
    return isSendKey(event);
  };
  expect(key({})).toBe(true);
  expect(key({ shiftKey: true })).toBe(false);
  expect(key({ isComposing: true })).toBe(false);
  expect(key({ keyCode: 229 })).toBe(false);
  expect(key({ key: "a" })).toBe(false);
});

describe("the line under the name", () => {
  const shown = (link: Link, now: Link, botName = "Mira"): string =>
    statusOf({ link, state: { ...EMPTY, link: now, status: "bot" }, strings: STRINGS.en, botName }).text;

  it("says that the bot is online when the server has said so, not before", () => {
    expect(shown("idle", "connecting")).toBe("Automated assistant");
    expect(shown("connecting", "connecting")).toBe("Connecting…");
    expect(shown("online", "online")).toBe("Automated assistant · Online");
    expect(shown("idle", "connecting", "Automated assistant Mira")).toBe("Connecting…");
    expect(shown("online", "online", "Automated assistant Mira")).toBe("Online");
  });

  it("is not disturbed by a link that comes back within a moment", () => {
    expect(shown("online", "reconnecting")).toBe("Automated assistant · Online");
    expect(shown("reconnecting", "reconnecting")).toBe("Reconnecting…");
  });
});
