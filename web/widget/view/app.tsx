import { composer, fitHeight } from "./composer";
import { type Child, draw, h } from "./dom";
import { header } from "./header";
import { follow, log } from "./log";
import { launcher, peek } from "./outside";
import { saveWhenWhole } from "./transcript";
import type { View } from "./ui";
import { hold } from "./window";

const FOCUSABLE = "button:not(:disabled), a[href], textarea, [tabindex='0']";

/** The page behind a sheet cannot be seen, so focus does not go there. */
function keepInside(event: KeyboardEvent, panel: HTMLElement): void {
  const stops = [...panel.querySelectorAll<HTMLElement>(FOCUSABLE)];
  const [first, last] = [stops[0], stops.at(-1)];
  if (event.target !== (event.shiftKey ? first : last)) return;
  event.preventDefault();
  (event.shiftKey ? last : first)?.focus();
}

function panel(v: View): Child {
  const { sheet } = v;
  const onkeydown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && !event.isComposing) v.setOpen(false);
    else if (event.key === "Tab" && sheet) keepInside(event, event.currentTarget as HTMLElement);
  };
  return (
    <div
      class="panel"
      id="panel"
      role="dialog"
      aria-modal={sheet}
      aria-labelledby="title"
      tabindex={-1}
      onkeydown={onkeydown}
    >
      {header(v)}
      {log(v)}
      {composer(v)}
    </div>
  );
}

function app(v: View): Child {
  const { announcement, open } = v.chat;
  const classes = `root ${v.dark ? "dark" : "light"} ${v.side} ${v.sheet ? "sheet" : ""}`;
  return (
    <div class={classes} lang={v.s.locale}>
      <div class="sr" aria-live="polite">
        <span key={announcement.number}>{announcement.text}</span>
      </div>
      {launcher(v)}
      {peek(v)}
      {open && panel(v)}
    </div>
  );
}

/** Phones lay their keyboard over the page: the sheet takes the room that is left. */
export function fitSheet(root: ShadowRoot, sheet: boolean): void {
  const element = root.querySelector<HTMLElement>(".panel");
  const view = sheet ? window.visualViewport : null;
  if (!element) return;
  element.style.height = view ? `${view.height}px` : "";
  element.style.top = view ? `${view.offsetTop}px` : "";
}

/** Brings the shadow root up to date: nodes first, then what needs their measures, then the focus. */
export function drawApp(root: ShadowRoot, v: View): void {
  const { ui } = v;
  const settle = ui.follow ? null : hold(root.querySelector(".log"));
  draw(root, [app(v)]);
  settle?.();
  fitSheet(root, v.sheet);
  fitHeight(root.querySelector("textarea"));
  follow(root.querySelector(".log"), v);
  saveWhenWhole(v);
  if (!ui.focus) return;
  root.querySelector<HTMLElement>(ui.focus)?.focus();
  ui.focus = "";
}
