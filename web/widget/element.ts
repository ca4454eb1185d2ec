/** The custom element `<kefu-chat>`: attributes in, CustomEvents out, everything else behind an open shadow root. */

import { Chat, type ChatEvents } from "./chat";
import type { Lang } from "./core/protocol";
import { openShelf, type Shelf } from "./core/shelf";
import { accentRules, adopt } from "./styles/sheet";
import { DEFAULT_COLOUR } from "./text/colour";
import { chooseLang, isLang } from "./text/language";
import { drawApp, fitSheet } from "./view/app";
import { COMPOSER, LAUNCHER, Ui } from "./view/ui";

const REBUILD = new Set(["channel", "server"]);
/** Less than this, and the panel takes the whole screen. */
const WIDE = "(min-width: 480px) and (min-height: 440px)";
const FINGER = "(pointer: coarse)";
const DARK = "(prefers-color-scheme: dark)";

/** Where the script came from: the server it talks to, unless an attribute says otherwise. */
let home = location.origin;
export const setHome = (server: string): void => {
  home = server;
};

export class KefuChat extends HTMLElement {
  static readonly observedAttributes = ["channel", "server", "lang", "theme", "color", "position", "open"];

  private chat: Chat | null = null;
  private ui = new Ui();
  private readonly root = this.attachShadow({ mode: "open" });
  private readonly accent = adopt(this.root);
  private readonly shelf: Shelf = openShelf("localStorage");
  private readonly tabShelf: Shelf = openShelf("sessionStorage");
  private readonly wide = matchMedia(WIDE);
  private readonly darkness = matchMedia(DARK);
  private readonly pageLang = new MutationObserver(() => this.chat?.setLang(this.language()));
  private drawing = false;
  private ticking: ReturnType<typeof setInterval> | undefined;

  get isOpen(): boolean {
    return this.hasAttribute("open");
  }

  show(): void {
    this.toggleAttribute("open", true);
  }

  hide(): void {
    this.toggleAttribute("open", false);
  }

  toggle(): void {
    this.toggleAttribute("open");
  }

  newConversation(): void {
    this.chat?.session.begin();
    this.draw();
  }

  /** Forgets everything in this browser, as when the customer logs out of the page. */
  end(): void {
    this.chat?.session.end();
    this.hide();
    this.draw();
  }

  /** Speaks `lang` from now on, on later pages too; "auto" follows the page again. */
  setLanguage(lang: Lang | "auto"): void {
    const key = this.languageKey();
    if (lang === "auto") this.shelf.remove(key);
    else this.shelf.set(key, lang);
    this.chat?.setLang(this.language());
  }

  connectedCallback(): void {
    document.addEventListener("visibilitychange", this.onVisible);
    window.addEventListener("online", this.onNetwork);
    window.addEventListener("offline", this.onNetwork);
    window.addEventListener("pageshow", this.onNetwork);
    window.addEventListener("pagehide", this.onHide);
    window.visualViewport?.addEventListener("resize", this.draw);
    window.visualViewport?.addEventListener("scroll", this.onViewport);
    this.wide.addEventListener("change", this.draw);
    this.darkness.addEventListener("change", this.draw);
    this.pageLang.observe(document.documentElement, { attributeFilter: ["lang"] });
    this.raise();
    this.build();
  }

  disconnectedCallback(): void {
    document.removeEventListener("visibilitychange", this.onVisible);
    window.removeEventListener("online", this.onNetwork);
    window.removeEventListener("offline", this.onNetwork);
    window.removeEventListener("pageshow", this.onNetwork);
    window.removeEventListener("pagehide", this.onHide);
    window.visualViewport?.removeEventListener("resize", this.draw);
    window.visualViewport?.removeEventListener("scroll", this.onViewport);
    this.wide.removeEventListener("change", this.draw);
    this.darkness.removeEventListener("change", this.draw);
    this.pageLang.disconnect();
    this.chat?.close();
    this.chat = null;
    clearInterval(this.ticking);
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (!this.chat || before === after) return;
    if (REBUILD.has(name)) this.build();
    else if (name === "open") this.opened(this.chat);
    else if (name === "lang") this.chat.setLang(this.language());
    this.draw();
  }

  /** Above every z-index of the page and out of its transforms; dialogs it opens later still cover the chat. */
  private raise(): void {
    this.popover = "manual";
    this.showPopover?.();
  }

  private build(): void {
    this.chat?.close();
    this.chat = null;
    this.ui = new Ui();
    const chat = new Chat({
      server: this.getAttribute("server") ?? home,
      channel: this.getAttribute("channel") ?? "web",
      shelf: this.shelf,
      tabShelf: this.tabShelf,
      lang: this.language(),
      emit: (name, detail) => this.emit(name, detail),
      changed: () => this.draw(),
    });
    // On a phone an open sheet would hide the page that was just asked for.
    if (chat.wasOpen && this.wide.matches) this.toggleAttribute("open", true);
    // Only from here on does the attribute mean that somebody opens it, and wants the focus there.
    this.chat = chat;
    chat.setVisible(!document.hidden);
    chat.begin();
    chat.setOpen(this.isOpen);
    this.draw();
  }

  /**
   * Focus goes into the composer on opening and back to the launcher on closing, but never away from where the page
   * has it. Under a finger the panel itself takes it: in the composer it would call up a keyboard over the greeting.
   */
  private opened(chat: Chat): void {
    const { activeElement, body } = document;
    const idle = !activeElement || activeElement === body || activeElement === this;
    chat.setOpen(this.isOpen);
    this.ui.menu = "shut";
    this.ui.follow = true;
    if (this.isOpen) this.ui.focus = matchMedia(FINGER).matches ? ".panel" : COMPOSER;
    else if (idle) this.ui.focus = LAUNCHER;
  }

  private languageKey(): string {
    return `kefu:${this.getAttribute("channel") ?? "web"}:lang`;
  }

  /** The customer's choice, the attribute, the page's language, the browser's: the first that there is. */
  private language(): Lang {
    const chosen = this.shelf.get(this.languageKey());
    if (isLang(chosen)) return chosen;
    return chooseLang(this.getAttribute("lang"), document.documentElement.lang, ...navigator.languages);
  }

  private isDark(): boolean {
    const theme = this.getAttribute("theme");
    return theme === "dark" || (theme !== "light" && this.darkness.matches);
  }

  private emit<K extends keyof ChatEvents>(name: K, detail: ChatEvents[K]): void {
    this.dispatchEvent(new CustomEvent(`kefu:${name}`, { detail, bubbles: true, composed: true }));
  }

  private readonly onVisible = (): void => this.chat?.setVisible(!document.hidden);

  private readonly onNetwork = (): void => {
    if (navigator.onLine) this.chat?.session.wake();
    else this.chat?.session.sleep();
  };

  private readonly onViewport = (): void => fitSheet(this.root, !this.wide.matches);

  private readonly onHide = (): void => this.chat?.session.save();

  /** At most once for all that happens in one turn of the event loop. */
  private readonly draw = (): void => {
    if (this.drawing) return;
    this.drawing = true;
    queueMicrotask(() => {
      this.drawing = false;
      this.drawNow();
    });
  };

  private drawNow(): void {
    const { chat, ui } = this;
    if (!chat) return;
    const dark = this.isDark();
    this.accent.replaceSync(accentRules(this.getAttribute("color") ?? DEFAULT_COLOUR, dark));
    this.tick(chat.state.pending.some((p) => p.phase === "waiting"));
    drawApp(this.root, {
      chat,
      ui,
      dark,
      state: chat.state,
      s: chat.strings,
      lang: chat.lang,
      sheet: !this.wide.matches,
      side: this.getAttribute("position") === "left" ? "left" : "right",
      setOpen: (open) => void this.toggleAttribute("open", open),
      setLanguage: (lang) => this.setLanguage(lang),
      redraw: (focus = "") => {
        ui.focus ||= focus;
        this.draw();
      },
    });
  }

  /** A message that waits shows for how long: the seconds are drawn one by one, and only then. */
  private tick(on: boolean): void {
    if (on) this.ticking ??= setInterval(this.draw, 1000);
    else {
      clearInterval(this.ticking);
      this.ticking = undefined;
    }
  }
}
