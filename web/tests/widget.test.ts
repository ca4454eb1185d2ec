// @vitest-environment happy-dom
/** The whole widget in a document, against the mock server over real sockets. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { MockServer } from "../mock/server";
import "../widget/main";
import { NodeSocket } from "./support/websocket";

let server: MockServer;
let chat: HTMLElement;

const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 4000, interval: 5 });
const root = (): ShadowRoot => chat.shadowRoot as ShadowRoot;
const find = <E extends HTMLElement>(selector: string): E => {
  const element = root().querySelector<E>(selector);
  if (!element) throw new Error(`There is no ${selector}.`);
  return element;
};
const all = (selector: string) => [...root().querySelectorAll<HTMLElement>(selector)];
const bubbles = () => all(".row .bubble").map((b) => b.textContent?.replace(/^(You|您):\s*/, ""));
const click = (selector: string, index = 0) =>
  until(() => {
    const element = all(selector)[index];
    expect(element).toBeDefined();
    element?.click();
  });
const press = (key: string, on: HTMLElement, init: KeyboardEventInit = {}) =>
  on.dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, composed: true, cancelable: true, ...init }),
  );

function write(text: string): HTMLTextAreaElement {
  const area = find<HTMLTextAreaElement>("textarea");
  area.value = text;
  area.dispatchEvent(new InputEvent("input", { bubbles: true }));
  return area;
}

async function openChat(): Promise<void> {
  find(".launcher").click();
  await until(() => expect(find(".status").textContent).toBe("Automated assistant · Online"));
  await until(() => expect(all(".suggestions button")).toHaveLength(3));
}

async function put(attributes: Record<string, string> = {}, pace = 0): Promise<void> {
  server = new MockServer({ pace });
  chat = document.createElement("kefu-chat");
  const given = { channel: "web", server: await server.listen(), lang: "en", ...attributes };
  for (const [name, value] of Object.entries(given)) chat.setAttribute(name, value);
  document.body.append(chat);
  await until(() => find(".launcher"));
}

beforeEach(() => {
  vi.stubGlobal("WebSocket", NodeSocket);
});
afterEach(async () => {
  chat.remove();
  await server.close();
  localStorage.clear();
  sessionStorage.clear();
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

it("asks nothing of the server before it is opened, then greets and suggests", async () => {
  await put();
  expect(find(".launcher").textContent).toBe("Chat with us");
  expect(server.hellos).toEqual([]);
  await openChat();
  expect(bubbles()[0]).toContain("automated assistant");
  expect(find("[role=dialog]").getAttribute("aria-labelledby")).toBe("title");
  expect(find("#title").textContent).toBe("Orchid");
});

it("comes back open on the next page, and leaves the focus where the page has it", async () => {
  await put();
  await openChat();
  chat.remove();
  chat.removeAttribute("open");
  document.body.append(chat);
  await until(() => expect(all("[role=dialog]")).toHaveLength(1));
  expect(root().activeElement).toBeNull();
});

it("moves the focus in on opening, and back on closing by Escape", async () => {
  await put();
  await openChat();
  expect(root().activeElement).toBe(find("textarea"));
  press("Escape", find("textarea"));
  await until(() => expect(root().activeElement).toBe(find(".launcher")));
  expect(all("[role=dialog]")).toEqual([]);
});

it("sends by Enter, shows how far it has come, and drops the suggestions", async () => {
  await put();
  await openChat();
  press("Enter", write("  hello there "));
  await until(() => expect(bubbles().slice(1)).toEqual(["hello there", "You said: hello there"]));
  expect(find<HTMLTextAreaElement>("textarea").value).toBe("");
  await until(() => expect(find(".own .delivery").title).toBe("Read"));
  expect(all(".suggestions")).toEqual([]);
});

it("does not send what is blank, too long, or still being composed", async () => {
  await put();
  await openChat();
  press("Enter", write("   "));
  press("Enter", write("客".repeat(4001)));
  await until(() => expect(find(".count").textContent).toContain("4001 / 4000"));
  expect(find<HTMLButtonElement>(".send").disabled).toBe(true);
  press("Enter", write("zhuan"), { isComposing: true });
  press("Enter", write("two\nlines"), { shiftKey: true });
  await new Promise((done) => setTimeout(done, 50));
  expect(all(".own")).toEqual([]);
});

it("streams into one element, and reads the text aloud once, when it is whole", async () => {
  await put({}, 2);
  await openChat();
  press("Enter", write("What are your rates?"));
  await until(() => expect(all("[aria-busy]")).toHaveLength(1));
  // The first attempt is withdrawn; wait for the one that stays.
  await until(() => expect(all("[aria-busy]")[0]?.textContent).toContain("fixed deposit"));
  const growing = all("[aria-busy]")[0];
  expect(growing?.getAttribute("aria-live")).toBe("off");
  expect(root().textContent).not.toContain("Orchid: Our fixed deposit");
  await until(() => expect(all(".row.bot .meta time")).toHaveLength(1));
  expect(all(".row.bot").at(-1)).toBe(growing);
  expect(growing?.hasAttribute("aria-busy")).toBe(false);
  expect(growing?.getAttribute("aria-live")).toBe("off");
  expect(find(".root > .sr[aria-live=polite]").textContent).toContain("Orchid: Our fixed deposit rates");
  expect(find("[role=log]").getAttribute("aria-live")).toBe("polite");
});

it("opens the source of a statement under its message", async () => {
  await put();
  await openChat();
  press("Enter", write("I lost my card"));
  await until(() => expect(all(".mark")).toHaveLength(2));
  const mark = find(".mark");
  expect(mark.getAttribute("aria-label")).toBe("Source 1: Reporting a lost or stolen debit card");
  mark.click();
  await until(() => expect(all(".source")).toHaveLength(1));
  expect(mark.getAttribute("aria-expanded")).toBe("true");
  expect(find(".source").id).toBe(mark.getAttribute("aria-controls"));
  expect(find<HTMLAnchorElement>(".source a").rel).toBe("noopener noreferrer");
  mark.click();
  await until(() => expect(all(".source")).toEqual([]));
});

it("takes thumbs, thanks for them, and takes them back", async () => {
  await put();
  await openChat();
  press("Enter", write("limit"));
  await until(() => expect(all(".thumb")).toHaveLength(2));
  all(".thumb")[1]?.click();
  await until(() => expect(server.last.messages[1]?.vote).toBe("down"));
  await until(() => expect(find(".thanks").textContent).toBe("Thank you"));
  const undo = all(".rating .quiet")[0];
  undo?.focus();
  undo?.click();
  await until(() => expect(server.last.messages[1]?.vote).toBeNull());
  await until(() => expect(root().activeElement).toBe(all(".thumb")[0]));
});

it("offers quick replies until one is chosen", async () => {
  await put();
  await openChat();
  press("Enter", write("limit"));
  await until(() => expect(all(".replies button")).toHaveLength(3));
  all(".replies button")[2]?.click();
  await until(() => expect(all(".replies")).toEqual([]));
  await until(() => expect(server.last.messages[2]?.text).toBe("Nothing for now"));
  expect(root().activeElement).toBe(find("textarea"));
});

it("lets a failed message be sent again by one click", async () => {
  await put();
  await openChat();
  server.faults.refuse = [{ code: "bad_frame" }];
  press("Enter", write("once more"));
  await until(() => expect(find(".delivery.failed").textContent).toContain("Not sent"));
  find(".delivery.failed .quiet").click();
  await until(() => expect(bubbles().at(-1)).toBe("You said: once more"));
  expect(all(".delivery.failed")).toEqual([]);
});

it("always shows the way to a person, and then who it leads to", async () => {
  await put();
  await openChat();
  expect(find("button.person").textContent).toBe("Talk to a person");
  find("button.person").click();
  await until(() => expect(find(".status").textContent).toBe("With a colleague"));
  expect(all(".person")).toEqual([]);
  expect(server.last.messages[0]?.text).toBe("I would like to talk to a person");
  await until(() => expect(all(".agent .speaker").map((s) => s.textContent)).toEqual(["Colleague"]));
});

it("shows one way to a person where the bot offers one too, and takes its offer", async () => {
  await put();
  await openChat();
  const label = "Talk to a person";
  server.commit(server.last, "x", 0, { text: "I cannot say.", quick_replies: [{ label, value: "person" }] });
  await until(() => expect(find("button.person").className).toContain("offered"));
  expect(all(".replies")).toEqual([]);
  find("button.person").click();
  await until(() => expect(server.last.messages.map((m) => m.text)).toContain(label));
});

it("counts what came while it was closed, and shows a glimpse of it", async () => {
  await put();
  await openChat();
  press("Enter", write("hi"));
  await until(() => expect(bubbles()).toHaveLength(3));
  window.Kefu?.close();
  server.commit(server.last, "x", 0, { text: "One **more** thing" });
  await until(() => expect(find(".badge").textContent).toBe("1 unread message"));
  expect(find(".launcher").getAttribute("aria-label")).toBeNull();
  expect(find(".peek-open").textContent).toContain("One more thing");
  find(".peek-open").click();
  await until(() => expect(all("[role=dialog]")).toHaveLength(1));
  expect(all(".badge")).toEqual([]);
  await until(() => expect(server.last.acked).toBe(3));
});

it("changes its language, and keeps to it", async () => {
  await put();
  await openChat();
  find(".menu > .icon").click();
  await click(".languages button");
  await until(() => expect(find(".root").lang).toBe("zh-CN"));
  expect(find(".person").textContent).toBe("转人工");
  chat.remove();
  document.body.append(chat);
  await until(() => expect(find(".root").lang).toBe("zh-CN"));
  window.Kefu?.setLanguage("auto");
  await until(() => expect(find(".root").lang).toBe("en"));
});

it("follows the language of the page while nobody has chosen one", async () => {
  await put({ lang: "auto" });
  document.documentElement.lang = "zh-CN";
  await until(() => expect(find(".root").lang).toBe("zh-CN"));
  document.documentElement.lang = "en";
  await until(() => expect(find(".root").lang).toBe("en"));
});

it("begins a new conversation after asking, goes back to the earlier one, and ends all without a trace", async () => {
  await put();
  await openChat();
  press("Enter", write("old"));
  await until(() => expect(bubbles()).toHaveLength(3));
  find(".menu > .icon").click();
  await click(".item");
  await until(() => expect(root().activeElement).toBe(find(".primary")));
  find(".primary").click();
  await until(() => expect(server.conversations).toHaveLength(2));
  await until(() => expect(bubbles()).toHaveLength(1));
  press("Enter", write("new"));
  await until(() => expect(bubbles()).toHaveLength(3));
  find(".menu > .icon").click();
  await click(".item", 1);
  await until(() => expect(find(".past-text").textContent).toBe("old"));
  find(".past").click();
  await until(() => expect(bubbles()[1]).toBe("old"));
  await until(() => expect(server.hellos.at(-1)?.token).toBe(server.conversations[0]?.token));
  find(".menu > .icon").click();
  await click(".item", 3);
  await click(".primary");
  await until(() => expect(all("[role=dialog]")).toEqual([]));
  expect(Object.keys(localStorage)).toEqual([]);
});

it("forgets everything where the page says so, as at a logout", async () => {
  await put();
  await openChat();
  press("Enter", write("secret"));
  await until(() => expect(bubbles()).toHaveLength(3));
  window.Kefu?.newConversation();
  await until(() => expect(server.conversations).toHaveLength(2));
  window.Kefu?.end();
  await until(() => expect(all("[role=dialog]")).toEqual([]));
  expect(Object.keys(localStorage)).toEqual([]);
});

it("draws the end of a long conversation, and more of it as somebody reads up", async () => {
  await put();
  await openChat();
  for (let i = 1; i <= 130; i += 1) server.commit(server.last, `t${i}`, 0, { text: `line ${i}` });
  await until(() => expect(bubbles().at(-1)).toBe("line 130"));
  const drawn = bubbles().length;
  expect(drawn).toBeLessThanOrEqual(100);
  find(".earlier").click();
  await until(() => expect(bubbles().length).toBe(drawn + 50));
  await until(() => expect(root().activeElement).toBe(find(".log")));
});

it("tells the page what happens, and obeys it", async () => {
  const heard: [string, unknown][] = [];
  const stops = (["ready", "open", "close", "message", "unread", "status"] as const).map((name) =>
    window.Kefu?.on(name, (detail) => heard.push([name, detail])),
  );
  await put();
  window.Kefu?.open();
  await until(() => expect(heard.map(([name]) => name)).toContain("ready"));
  press("Enter", write("person please"));
  await until(() => expect(heard.filter(([name]) => name === "status")).toHaveLength(2));
  await until(() => expect(heard.filter(([name]) => name === "message").length).toBeGreaterThan(2));
  window.Kefu?.toggle();
  expect(heard.at(-1)?.[0]).toBe("close");
  for (const stop of stops) stop?.();
  const count = heard.length;
  window.Kefu?.toggle();
  expect(heard).toHaveLength(count);
});

it("shows markup in a message as the text it is", async () => {
  await put();
  await openChat();
  server.commit(server.last, "x", 0, { text: '<img src="x"> [x](javascript:alert(1)) **<b>bold</b>**' });
  await until(() => expect(bubbles().at(-1)).toContain('<img src="x">'));
  expect(all(".bubble img, .bubble b, .bubble a")).toEqual([]);
});

it("shows its place on a page once, from the script tag", async () => {
  await put();
  expect(document.querySelectorAll("kefu-chat")).toHaveLength(1);
  vi.resetModules();
  await import("../widget/main");
  expect(document.querySelectorAll("kefu-chat")).toHaveLength(1);
});
