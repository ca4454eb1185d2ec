/** Styles as constructed sheets: they pass `style-src 'self'`, and neither leak out of the shadow root nor in. */

import { accent } from "../text/colour";
import base from "./base.css?inline";
import composer from "./composer.css?inline";
import log from "./log.css?inline";
import outside from "./outside.css?inline";
import panel from "./panel.css?inline";

/** The one shared part of all widgets on a page; built when first needed. */
let shared: CSSStyleSheet | null = null;

/** Gives the root the widget's styles; returns the sheet that takes the page's colour. */
export function adopt(root: ShadowRoot): CSSStyleSheet {
  if (!shared) {
    shared = new CSSStyleSheet();
    shared.replaceSync(base + outside + panel + log + composer);
  }
  const own = new CSSStyleSheet();
  root.adoptedStyleSheets = [shared, own];
  return own;
}

export function accentRules(colour: string, dark: boolean): string {
  const { fill, onFill, text } = accent(colour, dark);
  return `.root{--fill:${fill};--on-fill:${onFill};--accent:${text}}`;
}
