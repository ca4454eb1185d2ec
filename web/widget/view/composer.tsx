import { clean, countCharacters } from "../core/protocol";
import { type Child, h } from "./dom";
import { personIcon, sendIcon } from "./icons";
import { openOffer, PERSON } from "./rows";
import { COMPOSER, type View } from "./ui";

/** The counter shows itself once this share of the limit is used. */
const COUNT_FROM = 0.9;
const MAX_HEIGHT_PX = 132;

/**
 * The way to a person, always in sight; once it is taken the header says how far it has led. Where the bot itself
 * offers a person this is the button it offers, so that there are never two.
 */
function person(v: View): Child {
  const { state, s, chat } = v;
  if (state.status === "waiting" || state.status === "human") return null;
  const asked = state.pending.some((p) => p.text === s.personText || p.choice?.value === PERSON);
  const offered = openOffer(state)?.person;
  const ask = () => {
    if (!asked && offered) chat.session.choose(offered.of, PERSON, offered.label);
    else if (!asked) chat.session.send(s.personText);
    v.redraw(COMPOSER);
  };
  return (
    <button type="button" class={offered ? "person offered" : "person"} onclick={ask}>
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
  const way = person(v);
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
      {(way || counted) && (
        <div class="tools">
          {way}
          {counted && counter(count, max, v)}
        </div>
      )}
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
