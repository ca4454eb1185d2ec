import type { Chat } from "../chat";
import { type Child, h } from "./dom";
import { chatIcon, closeIcon } from "./icons";
import { menu } from "./menu";
import type { View } from "./ui";

/** What the line under the name says, and the colour of its dot. */
export function statusOf({ link, state, strings }: Pick<Chat, "link" | "state" | "strings">) {
  if (link === "offline" || link === "reconnecting") return { tone: link, text: strings[link] };
  if (link === "connecting" && state.link !== "online") return { tone: link, text: strings.connecting };
  const { status } = state;
  return { tone: status, text: status === "bot" ? strings.online : strings[status] };
}

export function header(v: View): Child {
  const { s, chat } = v;
  const { tone, text } = statusOf(chat);
  return (
    <div class="head">
      <span class="avatar">{chatIcon}</span>
      <div class="who">
        <p class="name">
          <span id="title">{chat.botName}</span>
          {chat.botName !== s.botKind && <span class="kind">{s.botKind}</span>}
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
