import type { Message } from "../core/protocol";
import { pick, scriptOf } from "../text/language";
import { dayName } from "../text/when";
import { draftBubble, ownBubble, pendingBubble, staffBubble } from "./bubble";
import { type Child, h } from "./dom";
import { downIcon, nextIcon, upIcon } from "./icons";
import { markup } from "./markup";
import { isFresh, openOffer, type Row, rows } from "./rows";
import { COMPOSER, type View } from "./ui";
import { hasEarlier, inView, scrolledUp, showEarlier } from "./window";

/** Closer to the end than this, the log follows what is new. */
const NEAR_END_PX = 80;

function line(row: Row, now: Date, v: View): Child {
  const { key } = row;
  const first = "first" in row && row.first ? "first" : "";
  if (row.kind === "day")
    return (
      <li key={key} class="day" aria-live="off">
        {dayName(row.date, now, v.s)}
      </li>
    );
  if (row.kind === "pending") return pendingBubble(key, row.pending, first, v);
  if (row.kind === "draft") return draftBubble(key, row.draft, v);
  return remembered(row.message, `${key} ${first}`, v, () => committed(key, row.message, first, v));
}

function committed(key: string, message: Message, first: string, v: View): Child {
  if (message.role === "customer") return ownBubble(key, message, first, v);
  if (message.role !== "system") return staffBubble(key, message, first, v);
  return (
    <li key={key} class="system" lang={scriptOf(message.text)}>
      {markup(message.text, v)}
    </li>
  );
}

const drawn = new WeakMap<Message, { readonly as: string; readonly child: Child }>();

/** A message looks the same until something of this changes: a long log is not described anew at each letter. */
function remembered(message: Message, place: string, v: View, describe: () => Child): Child {
  const { ui, state, chat } = v;
  const { seq, turn, citations } = message;
  const open = citations.map(({ mark }) => ui.cards.has(`${seq}:${mark}`));
  const streamed = turn !== undefined && state.streamed.includes(turn);
  const as = `${[place, v.lang, chat.botName, seq <= state.readSeq, seq <= ui.quiet, streamed, open]}`;
  const known = drawn.get(message);
  if (known?.as === as) return known.child;
  const child = describe();
  drawn.set(message, { as, child });
  return child;
}

/** The bot's first words: they are its own, not part of the conversation. */
function greeting(v: View): Child {
  const text = pick(v.state.bot?.welcome ?? {}, v.lang);
  return (
    text &&
    !hasEarlier(v) && (
      <li key="greeting" class="row bot first" aria-live="off">
        <div class="bubble" lang={scriptOf(text)}>
          {markup(text, v)}
        </div>
      </li>
    )
  );
}

function suggestions(v: View): Child {
  const texts = pick(v.state.bot?.suggestions ?? {}, v.lang) ?? [];
  if (!isFresh(v.state) || texts.length === 0) return null;
  const choose = (text: string) => {
    v.chat.session.send(text);
    v.redraw(COMPOSER);
  };
  return (
    <section class="suggestions" aria-label={v.s.suggestions}>
      <p>{v.s.suggestions}</p>
      {texts.map((text) => (
        <button type="button" lang={scriptOf(text)} onclick={() => choose(text)}>
          <span>{text}</span>
          {nextIcon}
        </button>
      ))}
    </section>
  );
}

function quickReplies(v: View): Child {
  const offered = openOffer(v.state);
  if (!offered?.replies.length) return null;
  const choose = (value: string, label: string) => {
    v.chat.session.choose(offered.of, value, label);
    v.redraw(COMPOSER);
  };
  return (
    <section class="replies" aria-label={v.s.quickReplies}>
      {offered.replies.map(({ label, value }) => (
        <button type="button" lang={scriptOf(label)} onclick={() => choose(value, label)}>
          {label}
        </button>
      ))}
    </section>
  );
}

function typing({ state, s, chat }: View): Child {
  if (!state.typing || state.drafts.length > 0) return null;
  const who = state.status === "human" ? s.agent : chat.botName;
  return (
    <div class="typing" aria-live="off">
      <i />
      <i />
      <i />
      <span class="sr">{`${who} ${s.typing}`}</span>
    </div>
  );
}

function closed(v: View): Child {
  const begin = () => {
    v.chat.session.begin();
    v.redraw(COMPOSER);
  };
  return (
    v.state.status === "closed" && (
      <div class="system">
        <p>{v.s.endedNote}</p>
        <button type="button" class="quiet" onclick={begin}>
          {v.s.newChat}
        </button>
      </div>
    )
  );
}

function jump(v: View): Child {
  const onclick = () => {
    v.ui.follow = true;
    v.redraw(".log");
  };
  return (
    v.ui.behind && (
      <button type="button" class="jump" onclick={onclick}>
        {v.s.jump}
        {downIcon}
      </button>
    )
  );
}

/** Runs after each drawing: keeps the end in view, unless the customer reads further up and writes nothing. */
export function follow(log: Element | null, { ui, state, redraw }: View): void {
  const last = rows(state, new Date()).at(-1);
  // A greeting is read from its beginning, a conversation from its end.
  if (!log || !last) return;
  const isNew = last.key !== ui.lastRow;
  ui.lastRow = last.key;
  if (ui.follow || (isNew && last.kind === "pending")) {
    ui.follow = true;
    log.scrollTop = log.scrollHeight;
  }
  const behind = !ui.follow && (ui.behind || isNew);
  if (behind !== ui.behind) redraw();
  ui.behind = behind;
  ui.room = roomOf(log);
}

/** How far the log can be scrolled. */
const roomOf = (log: Element): number => log.scrollHeight - log.clientHeight;

function earlier(v: View): Child {
  const onclick = () => {
    showEarlier(v);
    v.redraw(".log");
  };
  return (
    hasEarlier(v) && (
      <button type="button" class="quiet earlier" onclick={onclick}>
        {upIcon}
        {v.s.earlier}
      </button>
    )
  );
}

function scrolled(log: Element, v: View): void {
  const { ui, redraw } = v;
  // A turned phone or its keyboard has moved it, not the customer: the next drawing sets it right.
  if (ui.follow && ui.room !== roomOf(log)) return;
  ui.follow = roomOf(log) - log.scrollTop < NEAR_END_PX;
  scrolledUp(log, v);
  if (!ui.follow || !ui.behind) return;
  ui.behind = false;
  redraw();
}

export function log(v: View): Child {
  const { state, s } = v;
  const now = new Date();
  const messages = inView(v);
  // History that comes in after a reload is not news to be read aloud.
  const caughtUp = state.link === "online" && state.lastSeq >= state.resumeTo;
  return (
    <div class="log-frame">
      <div
        class="log"
        role="log"
        aria-live={caughtUp ? "polite" : "off"}
        aria-relevant="additions"
        aria-label={s.messages}
        tabindex={0}
        onscroll={(event) => scrolled(event.currentTarget as Element, v)}
      >
        {state.notice && <p class="system">{s[state.notice]}</p>}
        {earlier(v)}
        <ol>
          {greeting(v)}
          {rows({ ...state, messages }, now).map((row) => line(row, now, v))}
        </ol>
        {suggestions(v)}
        {quickReplies(v)}
        {typing(v)}
        {closed(v)}
      </div>
      {jump(v)}
    </div>
  );
}
