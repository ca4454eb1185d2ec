import type { Pending } from "../core/state";
import { type Child, h } from "./dom";
import { clockIcon, failedIcon, readIcon, sentIcon } from "./icons";
import { COMPOSER, type View } from "./ui";

/** How far an own message has come, once the server has it. */
export function delivered(read: boolean, { s }: View): Child {
  const label = read ? s.read : s.sent;
  return (
    <span class={read ? "delivery read" : "delivery"} title={label}>
      {read ? readIcon : sentIcon}
      <span class="sr">{label}</span>
    </span>
  );
}

function failed({ id, reason }: Pending, v: View): Child {
  const { s, chat } = v;
  const hopeless = reason === "too_large";
  const after = (act: () => void) => {
    act();
    v.redraw(COMPOSER);
  };
  const button = (label: string, act: () => void) => (
    <button type="button" class="quiet" onclick={() => after(act)}>
      {label}
    </button>
  );
  return (
    <span class="delivery failed">
      {failedIcon}
      <span>{hopeless ? s.tooLong : s.failed}</span>
      {!hopeless && button(s.retry, () => chat.session.retry(id))}
      {button(s.discard, () => chat.session.discard(id))}
    </span>
  );
}

function note({ phase, until = 0 }: Pending, { s, chat }: View): Child {
  if (phase === "waiting") {
    return <span>{s.waitingToSend(Math.max(1, Math.ceil((until - Date.now()) / 1000)))}</span>;
  }
  const cut = phase === "queued" && (chat.link === "offline" || chat.link === "reconnecting");
  return cut ? <span>{s.queued}</span> : <span class="sr">{s.sending}</span>;
}

/** How far it has come before that. */
export function sending(pending: Pending, v: View): Child {
  if (pending.phase === "failed") return failed(pending, v);
  return (
    <span class="delivery" title={v.s.sending}>
      {clockIcon}
      {note(pending, v)}
    </span>
  );
}
