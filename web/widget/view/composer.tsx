import { clean, countCharacters } from "../core/protocol";
import { type Child, h } from "./dom";
import { personIcon, sendIcon } from "./icons";
import { COMPOSER, type View } from "./ui";

/** The counter shows itself once this share of the limit is used. */
const COUNT_FROM = 0.9;
const MAX_HEIGHT_PX = 132;

/** The way to a person, always in sight; once it was taken, how far it has led. */
function person({ state, s, chat }: View): Child {
  if (state.status === "waiting" || state.status === "human") {
    return (
      <span class="person on">
        {personIcon}
        {state.status === "human" ? s.human : s.waiting}
      </span>
    );
  }
  const asked = state.pending.some((p) => p.text === s.personText);
  return (
    <button type="button" class="person" onclick={() => asked || chat.session.send(s.personText)}>
      {personIcon}
      {s.person}
    </button>
  );
}

/** Enter sends, except with Shift, and except where it confirms a candidate of an input method. */
export function isSendKey(event: KeyboardEvent): boolean {
  return event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
}

/** Runs after each drawing: the field is as high as its text, up to a limit. */
export function fitHeight(area: HTMLTextAreaElement | null): void {
  if (!area) return;
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, MAX_HEIGHT_PX)}px`;
}

function counter(count: number, max: number, { s }: View): Child {
  const over = count > max;
  return (
    <span class={over ? "count over" : "count"} id="count" role={over && "alert"}>
      <span class="sr">{s.count(count, max)}</span>
      <span aria-hidden="true">{`${count} / ${max}`}</span>
    </span>
  );
}

export function composer(v: View): Child {
  const { s, chat } = v;
  const text = chat.typed;
  const max = v.state.maxText;
  const count = countCharacters(text);
  const counted = count > max * COUNT_FROM;
  const sendable = count <= max && clean(text) !== "";

  const write = (value: string) => {
    chat.typed = value;
    v.redraw();
  };
  const send = (event: Event) => {
    event.preventDefault();
    const now = chat.typed;
    if (countCharacters(now) <= max && chat.session.send(now)) chat.typed = "";
    v.redraw(COMPOSER);
  };
  return (
    <form class="composer" onsubmit={send}>
      <div class="tools">
        {person(v)}
        {counted && counter(count, max, v)}
      </div>
      <div class="field">
        <textarea
          rows={1}
          value={text}
          placeholder={s.writeHere}
          aria-label={s.writeHere}
          aria-describedby={counted && "count"}
          aria-invalid={count > max}
          enterkeyhint="send"
          oninput={(event) => write((event.currentTarget as HTMLTextAreaElement).value)}
          onkeydown={(event) => isSendKey(event) && send(event)}
        />
        <button type="submit" class="send" aria-label={s.send} title={s.send} disabled={!sendable}>
          {sendIcon}
        </button>
      </div>
    </form>
  );
}
