import { scriptOf } from "../text/language";
import { toPlain } from "../text/markdown";
import { type Child, h } from "./dom";
import { chatIcon, closeIcon, downIcon } from "./icons";
import { LAUNCHER, type View } from "./ui";

const PEEK_LENGTH = 140;

const shorten = (text: string): string =>
  text.length > PEEK_LENGTH ? `${text.slice(0, PEEK_LENGTH).trimEnd()}…` : text;

/** The first words of a message that came while the panel was closed. */
export function peek(v: View): Child {
  const { chat, s } = v;
  if (!chat.peek || chat.open) return null;
  const text = shorten(toPlain(chat.peek.text));
  const dismiss = () => {
    chat.peek = null;
    v.redraw(LAUNCHER);
  };
  return (
    <div class="peek">
      <button type="button" class="peek-open" onclick={() => v.setOpen(true)}>
        <span class="peek-who">{chat.peek.role === "agent" ? s.agent : chat.botName}</span>
        <span lang={scriptOf(text)}>{text}</span>
      </button>
      <button type="button" class="icon" aria-label={s.dismiss} title={s.dismiss} onclick={dismiss}>
        {closeIcon}
      </button>
    </div>
  );
}

export function launcher(v: View): Child {
  const { chat, s } = v;
  const { open, unreadCount } = chat;
  if (open && v.sheet) return null;
  return (
    <button
      type="button"
      class={open ? "launcher open" : "launcher"}
      aria-label={open && s.closeChat}
      aria-expanded={open}
      aria-controls={open && "panel"}
      onclick={() => v.setOpen(!open)}
    >
      {open ? <span key="down">{downIcon}</span> : <span key="chat">{chatIcon}</span>}
      {!open && <span>{s.launcher}</span>}
      {unreadCount > 0 && !open && (
        <span class="badge">
          {unreadCount > 99 ? "99+" : unreadCount}
          <span class="sr"> {s.unread(unreadCount)}</span>
        </span>
      )}
    </button>
  );
}
