/** The widget's own state around a session: open or closed, language, peek, announcements, events. No DOM nodes. */

import type { Lang, Message, Status } from "./core/protocol";
import { Session, type SessionOptions } from "./core/session";
import type { Shelf } from "./core/shelf";
import { type Link, type State, unread } from "./core/state";
import { STRINGS, type Strings } from "./strings";
import { pick } from "./text/language";
import { toPlain } from "./text/markdown";

/** Short losses mend themselves: the status line does not flicker for them. */
const LINK_SHOWN_AFTER_MS = 1200;

export interface ChatEvents {
  open: null;
  close: null;
  ready: { conversation: string };
  message: { message: Message };
  unread: { count: number };
  status: { status: Status };
}

export interface ChatOptions extends Pick<SessionOptions, "server" | "channel" | "dial"> {
  readonly shelf: Shelf;
  /** Belongs to this tab alone: what was being typed, whether the panel was open. */
  readonly tabShelf: Shelf;
  readonly lang: Lang;
  readonly emit: <K extends keyof ChatEvents>(name: K, detail: ChatEvents[K]) => void;
  /** Something to show has changed. */
  readonly changed: () => void;
}

export class Chat {
  readonly session: Session;
  open = false;
  peek: Message | null = null;
  /** Read aloud by screen readers, once; the number tells a repeated text from no news. */
  announcement = { text: "", number: 0 };
  link: Link = "idle";
  lang: Lang;
  private visible = true;
  private linkTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly tabKey: string;

  constructor(private readonly options: ChatOptions) {
    this.lang = options.lang;
    this.tabKey = `kefu:${options.channel}:`;
    this.session = new Session({
      ...options,
      locale: () => this.lang,
      changed: (state, before) => this.onState(state, before),
    });
  }

  get state(): State {
    // `changed` may be called while the session is still being built.
    return this.session.state;
  }

  get server(): string {
    return this.options.server;
  }

  get strings(): Strings {
    return STRINGS[this.lang];
  }

  get botName(): string {
    return pick(this.state.bot?.name ?? {}, this.lang) || this.strings.bot;
  }

  get unreadCount(): number {
    return unread(this.state).length;
  }

  get typed(): string {
    return this.options.tabShelf.get(`${this.tabKey}typed`) ?? "";
  }

  set typed(text: string) {
    if (text) this.options.tabShelf.set(`${this.tabKey}typed`, text);
    else this.options.tabShelf.remove(`${this.tabKey}typed`);
  }

  get wasOpen(): boolean {
    return this.options.tabShelf.get(`${this.tabKey}open`) === "1";
  }

  /** Connects where there is a conversation to go on with; else the first opening does. */
  begin(): void {
    if (this.session.resumable) this.session.start();
    const news = unread(this.state);
    if (news.length) this.notePeek(news);
  }

  setOpen(open: boolean): void {
    if (open === this.open) return;
    this.open = open;
    this.options.tabShelf.set(`${this.tabKey}open`, open ? "1" : "0");
    if (open) {
      this.peek = null;
      this.session.start();
    }
    this.updateShown();
    this.options.emit(open ? "open" : "close", null);
    this.options.changed();
  }

  setVisible(visible: boolean): void {
    this.visible = visible;
    this.updateShown();
    if (visible) this.session.wake();
    else this.session.save();
  }

  setLang(lang: Lang): void {
    if (lang === this.lang) return;
    this.lang = lang;
    this.session.localeChanged();
    this.options.changed();
  }

  close(): void {
    clearTimeout(this.linkTimer);
    this.session.close();
  }

  private updateShown(): void {
    this.session.setShown(this.open && this.visible);
  }

  private onState(state: State, before: State): void {
    if (!this.session) return;
    if (state.link !== before.link) this.onLink(state.link);
    if (state.conversation && state.conversation !== before.conversation) {
      this.options.emit("ready", { conversation: state.conversation });
    }
    if (state.status !== before.status) this.options.emit("status", { status: state.status });
    this.onMessages(state, before);
    this.onUnread(state, before);
    this.onFailures(state, before);
    this.options.changed();
  }

  private onLink(link: Link): void {
    clearTimeout(this.linkTimer);
    const show = () => {
      this.link = link;
      this.options.changed();
    };
    if (link === "reconnecting" || link === "connecting") {
      this.linkTimer = setTimeout(show, LINK_SHOWN_AFTER_MS);
    } else this.link = link;
  }

  private onMessages(state: State, before: State): void {
    // Another conversation is shown: what was said in it is no news.
    if (state.messages === before.messages || state.conversation !== before.conversation) return;
    const known = before.messages.at(-1)?.seq ?? 0;
    const news = state.messages.filter((m) => m.seq > known);
    for (const message of news) this.options.emit("message", { message });
    const live = news.filter((m) => m.seq > state.resumeTo && m.role !== "customer");
    for (const message of live) this.announceMessage(message, state);
    if (news.length) this.notePeek(unread(state));
  }

  private onUnread(state: State, before: State): void {
    const count = unread(state).length;
    if (count !== unread(before).length) this.options.emit("unread", { count });
    if (count === 0) this.peek = null;
  }

  private onFailures(state: State, before: State): void {
    const failed = (s: State) => s.pending.filter((p) => p.phase === "failed").length;
    if (failed(state) > failed(before)) this.announce(this.strings.failed);
  }

  private notePeek(news: readonly Message[]): void {
    if (!this.open) this.peek = news.at(-1) ?? null;
  }

  /** In the open panel the log itself speaks, but not for text that grew letter by letter. */
  private announceMessage(message: Message, state: State): void {
    const streamed = message.turn !== undefined && state.streamed.includes(message.turn);
    if (this.open && !streamed) return;
    const who = message.role === "agent" ? this.strings.agent : this.botName;
    this.announce(this.strings.wrote(who, toPlain(message.text)));
  }

  private announce(text: string): void {
    this.announcement = { text, number: this.announcement.number + 1 };
  }
}
