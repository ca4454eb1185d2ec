import type { Lang } from "../core/protocol";
import { type Child, Fragment, h } from "./dom";
import { endIcon, moreIcon, newIcon } from "./icons";
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
  const item = (menu: "new" | "end", icon: Child, label: string) => (
    <button type="button" class="item" onclick={() => goTo(v, menu, ".primary")}>
      {icon}
      {label}
    </button>
  );
  return (
    <>
      {languages(v)}
      {item("new", newIcon, v.s.newChat)}
      {item("end", endIcon, v.s.endChat)}
    </>
  );
}

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
      <p>{s.wipes}</p>
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
  const open = ui.menu !== "shut";
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
      {open && (
        <div class="menu-panel" id="menu">
          {ui.menu === "items" ? items(v) : question(v)}
        </div>
      )}
    </div>
  );
}
