/** The script tag: defines `<kefu-chat>`, puts one on the page from its data-* attributes, and offers `window.Kefu`. */

import type { ChatEvents } from "./chat";
import type { Lang } from "./core/protocol";
import { KefuChat, setHome } from "./element";

export interface KefuApi {
  open(): void;
  close(): void;
  toggle(): void;
  /** Hears an event of the chat; returns the way to stop. */
  on<K extends keyof ChatEvents>(event: K, listener: (detail: ChatEvents[K]) => void): () => void;
  setLanguage(lang: Lang | "auto"): void;
  newConversation(): void;
  /** Closes the chat and wipes every conversation from this browser, as at a logout. */
  end(): void;
}

declare global {
  interface Window {
    Kefu?: KefuApi;
  }
}

const TAG = "kefu-chat";
const script = document.currentScript instanceof HTMLScriptElement ? document.currentScript : null;

const element = (): KefuChat | null => document.querySelector<KefuChat>(TAG);

const api: KefuApi = {
  open: () => element()?.show(),
  close: () => element()?.hide(),
  toggle: () => element()?.toggle(),
  on(event, listener) {
    const heard = (e: Event) => listener((e as CustomEvent).detail);
    document.addEventListener(`kefu:${event}`, heard);
    return () => document.removeEventListener(`kefu:${event}`, heard);
  },
  setLanguage: (lang) => element()?.setLanguage(lang),
  newConversation: () => element()?.newConversation(),
  end: () => element()?.end(),
};

function mount(): void {
  if (element()) return;
  const chat = document.createElement(TAG);
  for (const name of KefuChat.observedAttributes) {
    const value = script?.dataset[name];
    if (value !== undefined) chat.setAttribute(name, value);
  }
  document.body.append(chat);
}

function begin(): void {
  // A page that includes the tag twice gets one widget.
  if (customElements.get(TAG)) return;
  if (script?.src) setHome(new URL("..", script.src).href.replace(/\/$/, ""));
  customElements.define(TAG, KefuChat);
  window.Kefu = api;
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mount);
  else mount();
}

begin();
