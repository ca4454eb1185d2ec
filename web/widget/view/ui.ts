/** What is open, unfolded and scrolled: the part of the view that concerns nobody but the view. */

import type { Chat } from "../chat";
import type { Lang } from "../core/protocol";
import type { State } from "../core/state";
import type { Strings } from "../strings";

export class Ui {
  menu: "shut" | "items" | "past" | "new" | "end" = "shut";
  /** Source cards that are open, as `seq:mark`. */
  readonly cards = new Set<string>();
  /** The log follows its end. */
  follow = true;
  /** How far the log could be scrolled when it was last drawn. */
  room = 0;
  /** News came while the customer was reading further up. */
  behind = false;
  /** Seq of the first message that is drawn. */
  first = 0;
  /** Seq of the oldest message there was before the server was asked for more. */
  had = 0;
  /** What comes up to here was fetched by reading further up: it is not read aloud. */
  quiet = 0;
  /** The transcript is saved as soon as all of it is there. */
  saving = false;
  /** Key of the log's last row when it was last drawn. */
  lastRow = "";
  /** Selector of what gets the focus after the next drawing. */
  focus = "";
}

/** Everything a part of the view may read and do. */
export interface View {
  readonly chat: Chat;
  readonly state: State;
  readonly s: Strings;
  readonly lang: Lang;
  readonly ui: Ui;
  readonly dark: boolean;
  /** Full screen, as on a phone. */
  readonly sheet: boolean;
  readonly side: "left" | "right";
  readonly setOpen: (open: boolean) => void;
  readonly setLanguage: (lang: Lang) => void;
  /** Draws again, and then puts the focus on what the selector finds. */
  readonly redraw: (focus?: string) => void;
}

export const COMPOSER = "textarea";
export const LAUNCHER = ".launcher";
