import type { Chat } from "../chat";
import { type Child, h } from "./dom";
import { chatIcon, closeIcon, personIcon } from "./icons";
import { menu } from "./menu";
import type { View } from "./ui";

type Shown = Pick<Chat, "link" | "state" | "strings" | "botName">;

/**
 * What the line under the name says, and the colour of its dot. A bot is called one, by its name or beside it, and is
 * online when its server has said so.
 */
export function statusOf({ link, state, strings, botName }: Shown) {
  if (link === "offline" || link === "reconnecting") return { tone: link, text: strings[link] };
  if (link === "connecting" && state.link !== "online") return { tone: link, text: strings.connecting };
  const { status } = state;
  if (status !== "bot") return { tone: status, text: strings[status] };
  const { botKind, online, connecting } = strings;
  const there = link === "online" || state.link === "online";
  if (botName.includes(botKind)) return { tone: status, text: there ? online : connecting };
  return { tone: status, text: there ? `${botKind} · ${online}` : botKind };
}

export function header(v: View): Child {
  const { s, chat } = v;
  const { tone, text } = statusOf(chat);
  return (
    <div class="head">
      <span class="avatar">{v.state.status === "human" ? personIcon : chatIcon}</span>
      <div class="who">
        <p class="name" id="title">
          {chat.botName}
        </p>
        <p class="status" role="status">
          <i class={`dot ${tone}`} />
          {text}
        </p>
      </div>
      {menu(v)}
      <button
        type="button"
        class="icon"
        aria-label={s.closeChat}
        title={s.closeChat}
        onclick={() => v.setOpen(false)}
      >
        {closeIcon}
      </button>
    </div>
  );
}
