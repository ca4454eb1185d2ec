import { transcript } from "../text/transcript";
import type { View } from "./ui";

/** Long enough for any browser to have taken the file. */
const KEPT_MS = 60_000;

function save({ chat, state, s }: View): void {
  const text = transcript(state.messages, chat.botName, s);
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${s.transcriptFile}-${new Date().toISOString().slice(0, 10)}.txt`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}

/** Saves the conversation as a file. What this browser has not kept is fetched first, where there is a link. */
export function saveTranscript(v: View): void {
  v.ui.saving = true;
  if (v.state.link === "online" && v.chat.session.hasOlder) v.chat.session.older();
}

/** Runs after each drawing. */
export function saveWhenWhole(v: View): void {
  const { ui, state, chat } = v;
  if (!ui.saving || chat.session.fetching) return;
  ui.saving = false;
  if (state.messages.length) save(v);
}
