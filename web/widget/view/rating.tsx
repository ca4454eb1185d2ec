import type { Message, Vote } from "../core/protocol";
import { type Child, h } from "./dom";
import { downVoteIcon, upVoteIcon } from "./icons";
import type { View } from "./ui";

/** Thumbs; after a vote thanks, and the way back. */
export function rating({ seq, vote }: Message, v: View): Child {
  const { s } = v;
  const give = (to: Vote | null) => v.chat.session.vote(seq, to);
  const undo = () => {
    give(null);
    v.redraw(`#thumb-${seq}`);
  };
  const thumb = (kind: Vote, label: string, icon: Child) => (
    <button
      type="button"
      class="thumb"
      id={kind === "up" && `thumb-${seq}`}
      aria-label={label}
      title={label}
      aria-pressed={vote === kind}
      onclick={() => give(vote === kind ? null : kind)}
    >
      {icon}
    </button>
  );
  return (
    <span class="rating" role="group" aria-label={s.rate}>
      {thumb("up", s.helpful, upVoteIcon)}
      {thumb("down", s.unhelpful, downVoteIcon)}
      <span role="status" class="thanks">
        {vote && s.thanks}
      </span>
      {vote && (
        <button type="button" class="quiet" onclick={undo}>
          {s.undo}
        </button>
      )}
    </span>
  );
}
