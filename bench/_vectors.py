"""Vectors of the texts of a bench, made once: kept in memory for the run and on disk from run to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bench import Options
from bench._bank import embed
from retrieval.embed import Encoder, Vectors


class Kept:
    """Looked up by text; a file for each data set, which counts only for the encoder that made it."""

    def __init__(self, encoder: Encoder, options: Options) -> None:
        self.encoder, self._options = encoder, options
        self._known: dict[str, Vectors] = {}

    def of(self, name: str, texts: Sequence[str]) -> Mapping[str, Vectors]:
        """float32 [dim] of each of the texts, and of others."""
        missing = list(dict.fromkeys(text for text in texts if text not in self._known))
        if missing:
            kept = self._options.cache / "quality" / f"{name}.npz"
            vectors = embed(self.encoder, missing, self._options, kept=kept)
            self._known.update(zip(missing, vectors, strict=True))
        return self._known

    def matrix(self, name: str, texts: Sequence[str]) -> Vectors:
        """float32 [len(texts), dim]."""
        known = self.of(name, texts)
        return np.stack([known[text] for text in texts])
