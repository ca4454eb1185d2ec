"""Vectors of a job's texts, made once and kept as they are made: a job that is stopped goes on where it was."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence

import numpy as np

from retrieval.embed import Encoder
from retrieval.errors import EncoderError
from training.apply import Floats
from training.errors import SourceError
from training.job.checkpoints import Checkpoints
from training.job.run import Run

PART = 64
"""Texts encoded before a stop is heeded: at the most a few seconds."""


class Vectors:
    """By text; `stage` names them on disk."""

    def __init__(self, run: Run, encoder: Encoder, texts: Sequence[str], *, stage: str) -> None:
        self._run, self._encoder = run, encoder
        self._texts = _in_parts(texts)
        self._of = hashlib.sha256("\0".join(self._texts).encode("utf-8", "surrogatepass")).hexdigest()
        self._places = {text: place for place, text in enumerate(self._texts)}
        self._rows = np.zeros((len(self._texts), encoder.dim), dtype=np.float32)
        self._kept = Checkpoints(run.place.checkpoints(stage), kept=len(self._texts) + 1)
        self._make()

    def __call__(self, texts: Sequence[str]) -> Floats:
        """float32 [n, dim] of n of them."""
        rows: Floats = self._rows[[self._places[text] for text in texts]]
        return rows

    def _make(self) -> None:
        done = self._restore()
        kept, at = done, time.monotonic()
        with self._run.stop.gently():
            while done < len(self._texts):
                self._run.say("encoding", done, len(self._texts), "encoding")
                part = self._texts[done : done + PART]
                try:
                    self._rows[done : done + len(part)] = self._encoder.encode(part)
                except EncoderError as error:
                    raise SourceError(str(error)) from error
                done += len(part)
                stopping = self._run.stop.asked is not None
                if stopping or time.monotonic() - at >= self._run.spec.checkpoint_seconds:
                    self._keep(kept, done)
                    kept, at = done, time.monotonic()
                self._run.stop.heed()
        self._run.say("encoding", done, len(self._texts), "encoding")

    def _keep(self, start: int, end: int) -> None:
        from safetensors.numpy import save_file

        rows = self._rows[start:end]
        self._kept.write(end, lambda path: save_file({"rows": rows}, path), {"start": start, "of": self._of})

    def _restore(self) -> int:
        """How many are there, without a gap."""
        from safetensors.numpy import load_file

        done = 0
        for part in sorted(self._kept.whole(), key=lambda part: part.number):
            if part.about["start"] != done or part.about.get("of") != self._of:
                break
            self._rows[done : part.number] = load_file(part.tensors)["rows"]
            done = part.number
        return done


def _in_parts(texts: Sequence[str]) -> list[str]:
    """Texts of one length share a part; parts of all lengths take turns, so that half of them is half of the time."""
    ordered = sorted(dict.fromkeys(texts), key=len)
    whole = len(ordered) // PART
    turns = np.random.default_rng(0).permutation(whole)
    found = [text for part in turns for text in ordered[part * PART : (part + 1) * PART]]
    return found + ordered[whole * PART :]
