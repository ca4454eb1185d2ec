/** From one brand colour to a set that can be read on light and on dark ground (WCAG 2.2, 1.4.3 and 1.4.11). */

type Rgb = readonly [number, number, number];

export interface Accent {
  /** Ground of the launcher and of the customer's own bubbles. */
  readonly fill: string;
  /** Text on `fill`, at least 4.5 : 1. */
  readonly onFill: string;
  /** Links and icons on the panel, at least 4.5 : 1. */
  readonly text: string;
}

const READABLE = 4.5;
const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
/** The least favourable ground a link stands on: the bot's bubble. Kept in step with base.css. */
const GROUND = { light: [238, 240, 237], dark: [43, 49, 48] } as const;
export const DEFAULT_COLOUR = "#1f5f5b";

function parse(hex: string): Rgb | null {
  const match = /^#([\da-f]{3}|[\da-f]{6})$/i.exec(hex.trim());
  if (!match?.[1]) return null;
  const full = match[1].length === 3 ? match[1].replace(/./g, "$&$&") : match[1];
  const value = Number.parseInt(full, 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

const css = (rgb: Rgb): string => `rgb(${rgb.map(Math.round).join(" ")})`;

function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map((c) => {
    const share = c / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a: Rgb, b: Rgb): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const mix = (a: Rgb, b: Rgb, share: number): Rgb =>
  a.map((c, i) => c + ((b[i] ?? 0) - c) * share) as unknown as Rgb;

/** The colour itself where it can be read on `ground`, else the nearest mixture with `towards` that can. */
function readable(colour: Rgb, ground: Rgb, towards: Rgb): Rgb {
  for (let share = 0; share < 1; share += 0.04) {
    const candidate = mix(colour, towards, share).map(Math.round) as unknown as Rgb;
    if (contrast(candidate, ground) >= READABLE) return candidate;
  }
  return towards;
}

/** Colours that are no `#rgb` or `#rrggbb` fall back to the default. */
export function accent(hex: string, dark: boolean): Accent {
  const colour = parse(hex) ?? (parse(DEFAULT_COLOUR) as Rgb);
  const onFill = contrast(colour, WHITE) >= READABLE ? WHITE : BLACK;
  const text = readable(colour, GROUND[dark ? "dark" : "light"], dark ? WHITE : BLACK);
  return { fill: css(colour), onFill: css(onFill), text: css(text) };
}
