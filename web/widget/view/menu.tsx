import type { Lang } from "../core/protocol";
import { lastAt, type Saved } from "../core/record";
import { scriptOf } from "../text/language";
import { dayName } from "../text/when";
import { type Child, Fragment, h } from "./dom";
import { backIcon, endIcon, moreIcon, newIcon, pastIcon, saveIcon } from "./icons";
import { saveTranscript } from "./transcript";
import { COMPOSER, LAUNCHER, type View } from "./ui";

const LANGUAGES: readonly (readonly [Lang, string, string])[] = [
  ["zh", "中文", "zh-CN"],
  ["en", "English", "en"],
];
const OPENER = ".menu > .icon";

function goTo(v: View, menu: View["ui"]["menu"], focus?: string): void {
  v.ui.menu = menu;
  v.redraw(focus);
}

function languages(v: View): Child {
  return (
    <div class="languages" role="group" aria-label={v.s.language}>
      {LANGUAGES.map(([code, name, tag]) => (
        <button type="button" lang={tag} aria-pressed={v.lang === code} onclick={() => v.setLanguage(code)}>
          {name}
        </button>
      ))}
    </div>
  );
}

function items(v: View): Child {
  const { s, chat, state } = v;
  const item = (icon: Child, label: string, onclick: () => void) => (
    <button type="button" class="item" onclick={onclick}>
      {icon}
      {label}
    </button>
  );
  const save = () => {
    saveTranscript(v);
    goTo(v, "shut", OPENER);
  };
  // What waits to be sent belongs to the conversation that is open.
  const movable = state.pending.length === 0 && chat.session.past.length > 0;
  return (
    <>
      {languages(v)}
      {item(newIcon, s.newChat, () => goTo(v, "new", ".primary"))}
      {movable && item(pastIcon, s.past, () => goTo(v, "past", ".back"))}
      {state.messages.length > 0 && item(saveIcon, s.transcript, save)}
      {item(endIcon, s.endChat, () => goTo(v, "end", ".primary"))}
    </>
  );
}

/** The words a conversation is known by are the customer's own first ones. */
function pastItem(saved: Saved, v: View): Child {
  const { conversation, messages } = saved.kept;
  const text = messages.find((m) => m.role === "customer")?.text ?? "";
  const onclick = () => {
    v.chat.session.reopen(saved);
    v.ui.follow = true;
    goTo(v, "shut", COMPOSER);
  };
  return (
    <button type="button" class="item past" key={conversation ?? ""} onclick={onclick}>
      <span class="past-text" lang={scriptOf(text)}>
        {text}
      </span>
      <span class="past-day">{dayName(new Date(lastAt(saved)), new Date(), v.s)}</span>
    </button>
  );
}

function past(v: View): Child {
  const { s } = v;
  return (
    <>
      <button type="button" class="item back" onclick={() => goTo(v, "items", ".item")}>
        {backIcon}
        <span class="sr">{s.back}: </span>
        <strong>{s.past}</strong>
      </button>
      {v.chat.session.past.map((saved) => pastItem(saved, v))}
    </>
  );
}

const PANES = { items, past, new: question, end: question };

function question(v: View): Child {
  const { s, chat } = v;
  const isNew = v.ui.menu === "new";
  const yes = () => {
    if (isNew) chat.session.begin();
    else {
      chat.session.end();
      v.setOpen(false);
    }
    goTo(v, "shut", isNew ? COMPOSER : LAUNCHER);
  };
  return (
    <div class="question">
      <p>
        <strong>{isNew ? s.newQuestion : s.endQuestion}</strong>
      </p>
      <p>{isNew ? s.keeps : s.wipes}</p>
      <div class="answers">
        <button type="button" onclick={() => goTo(v, "shut", OPENER)}>
          {s.cancel}
        </button>
        <button type="button" class="primary" onclick={yes}>
          {isNew ? s.confirmNew : s.confirmEnd}
        </button>
      </div>
    </div>
  );
}

/** A disclosure of plain buttons: everything in it is reached by Tab and closed by Escape. */
export function menu(v: View): Child {
  const { s, ui } = v;
  const pane = ui.menu === "shut" ? null : PANES[ui.menu];
  const open = pane !== null;
  const onkeydown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !open) return;
    event.stopPropagation();
    goTo(v, "shut", OPENER);
  };
  const onfocusout = (event: FocusEvent) => {
    const [box, to] = [event.currentTarget as Node, event.relatedTarget];
    if (open && to instanceof Node && !box.contains(to)) goTo(v, "shut");
  };
  return (
    <div class="menu" onkeydown={onkeydown} onfocusout={onfocusout}>
      <button
        type="button"
        class="icon"
        aria-label={s.menu}
        title={s.menu}
        aria-expanded={open}
        aria-controls={open && "menu"}
        onclick={() => goTo(v, open ? "shut" : "items")}
      >
        {moreIcon}
      </button>
      {pane && (
        <div class="menu-panel" id="menu">
          {pane(v)}
        </div>
      )}
    </div>
  );
}
