/** Which language the widget speaks, and which one a text is in. */

import type { Lang } from "../core/protocol";

const HAN = /\p{Script=Han}/u;

/** For the `lang` attribute of a message: voices and fonts are chosen by it. */
export const scriptOf = (text: string): string => (HAN.test(text) ? "zh-CN" : "en");

export const isLang = (value: unknown): value is Lang => value === "zh" || value === "en";

/** The first of the tags ("zh-Hans-CN", "en_GB") that names a language we speak; English otherwise. */
export function chooseLang(...tags: readonly (string | null | undefined)[]): Lang {
  for (const tag of tags) {
    const lang = tag?.slice(0, 2).toLowerCase();
    if (isLang(lang)) return lang;
  }
  return "en";
}

/** The text in `lang`, or in whatever language there is. */
export const pick = <T>(byLang: Readonly<Record<string, T>>, lang: Lang): T | undefined =>
  byLang[lang] ?? Object.values(byLang)[0];
