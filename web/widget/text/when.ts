/** Times and days as people of the language write them, in the customer's own time zone. */

import type { Strings } from "../strings";

const DAY_MS = 86_400_000;

const midnight = (date: Date): number =>
  new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

export const sameDay = (a: Date, b: Date): boolean => midnight(a) === midnight(b);

export const clockTime = (date: Date, strings: Strings): string =>
  date.toLocaleTimeString(strings.locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** "Today", "Yesterday", else the date; with the year once it is not this one. */
export function dayName(date: Date, now: Date, strings: Strings): string {
  const days = Math.round((midnight(now) - midnight(date)) / DAY_MS);
  if (days === 0) return strings.today;
  if (days === 1) return strings.yesterday;
  const year = date.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
  return date.toLocaleDateString(strings.locale, {
    weekday: "short",
    month: "long",
    day: "numeric",
    ...year,
  });
}

/** A date out of the wire's text; now where it is none, so that nothing ever shows "Invalid Date". */
export function readDate(iso: string): Date {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? new Date() : date;
}
