import type { Message } from "../core/protocol";
import type { Draft, Pending } from "../core/state";
import { scriptOf } from "../text/language";
import { clockTime, readDate } from "../text/when";
import { delivered, sending } from "./delivery";
import { type Child, h } from "./dom";
import { markup } from "./markup";
import { rating } from "./rating";
import { marksOf, sources, sourcesButton } from "./sources";
import type { View } from "./ui";

const time = (date: Date, v: View): Child => (
  <time datetime={date.toISOString()}>{clockTime(date, v.s)}</time>
);

interface Own {
  readonly key: string;
  readonly style: string;
  readonly text: string;
  readonly at: Date;
  readonly mark: Child;
}

/** The customer's own words, as they were typed. */
function own({ key, style, text, at, mark }: Own, v: View): Child {
  return (
    <li key={key} class={`row own ${style}`} aria-live="off">
      <div class="bubble" lang={scriptOf(text)}>
        <span class="sr" lang={v.s.locale}>
          {v.s.you}:{" "}
        </span>
        {text}
      </div>
      <div class="meta">
        {time(at, v)}
        {mark}
      </div>
    </li>
  );
}

export function pendingBubble(key: string, pending: Pending, first: string, v: View): Child {
  const { text, at, phase } = pending;
  return own({ key, text, at: new Date(at), style: `${first} ${phase}`, mark: sending(pending, v) }, v);
}

export function ownBubble(key: string, message: Message, first: string, v: View): Child {
  const mark = delivered(message.seq <= v.state.readSeq, v);
  return own({ key, text: message.text, at: readDate(message.at), style: first, mark }, v);
}

function speaker({ role }: Message, { s, chat }: View): Child {
  return role === "agent" ? <span class="speaker">{s.agent}</span> : <span class="sr">{chat.botName}: </span>;
}

/** A committed message of the bot's or a colleague's; the same element that its deltas grew in. */
export function staffBubble(key: string, message: Message, first: string, v: View): Child {
  const marks = marksOf(message, v);
  const streamed = message.turn !== undefined && v.state.streamed.includes(message.turn);
  const quiet = streamed || message.seq <= v.ui.quiet;
  return (
    <li key={key} class={`row ${message.role} ${first}`} aria-live={quiet && "off"}>
      {speaker(message, v)}
      <div class="bubble" lang={scriptOf(message.text)}>
        {markup(message.text, v, marks)}
      </div>
      {sources(marks, v)}
      <div class="meta">
        {time(readDate(message.at), v)}
        {sourcesButton(marks, v)}
        {message.rateable && rating(message, v)}
      </div>
    </li>
  );
}

/** Text that is still growing. Screen readers hear of it once it is committed. */
export function draftBubble(key: string, draft: Draft, v: View): Child {
  return (
    <li key={key} class="row bot first" aria-live="off" aria-busy="true">
      {null}
      <div class="bubble" lang={scriptOf(draft.text)}>
        {markup(draft.text, v, "coming")}
      </div>
      {null}
      <div class="meta" />
    </li>
  );
}
