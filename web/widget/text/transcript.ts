/** A conversation as a text file that people keep. */

import type { Message } from "../core/protocol";
import type { Strings } from "../strings";
import { toPlain } from "./markdown";
import { clockTime, readDate } from "./when";

const day = (date: Date, s: Strings): string => date.toLocaleDateString(s.locale, { dateStyle: "long" });

/** One line a message, under the day it was said on, which begins a new paragraph. */
export function transcript(messages: readonly Message[], botName: string, s: Strings): string {
  const who = { customer: s.you, bot: botName, agent: s.agent, system: "" };
  const lines = [botName];
  let last = "";
  for (const { role, text, at } of messages) {
    const date = readDate(at);
    const today = day(date, s);
    if (today !== last) lines.push("", today, "");
    last = today;
    const said = role === "customer" ? text : toPlain(text);
    lines.push(`[${clockTime(date, s)}] ${who[role] ? s.wrote(who[role], said) : said}`);
  }
  return `${lines.join("\n")}\n`;
}
