"""Shipped fakes: what a test or a demonstration uses where the real encoder would be too heavy."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence

import numpy as np

from retrieval.embed import Vectors
from retrieval.rerank.port import Scores
from retrieval.text import as_read, tokens

_GRAMS = (1, 2, 3)


class HashEncoder:
    """A deterministic `Encoder` without a model: hashed character n-grams, so similar spellings lie close
    together.

    It knows nothing of meaning. Texts without a letter in common have a cosine near 0, and what `as_read` tells to be
    the same has the same vector.
    """

    def __init__(self, dim: int = 64) -> None:
        self._dim = dim

    @property
    def dim(self) -> int:
        return self._dim

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(f"hash-encoder-2:{self._dim}".encode()).hexdigest()

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self._dim), dtype=np.float32)
        for row, text in enumerate(texts):
            for place, sign in self._places(text):
                vectors[row, place] += sign
        # Hashed signs can cancel out; and an empty text is a text.
        vectors[~vectors.any(axis=1), 0] = 1.0
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def _places(self, text: str) -> list[tuple[int, float]]:
        folded = "^" + as_read(text) + "$"
        grams = [folded[at : at + size] for size in _GRAMS for at in range(len(folded) - size + 1)]
        hashes = [zlib.crc32(gram.encode("utf-8", "surrogatepass")) for gram in grams]
        return [(value % self._dim, 1.0 if value >> 31 else -1.0) for value in hashes]


class WordReranker:
    """A deterministic `Reranker` without a model: the more of a question's words a passage has, the better it is.

    It knows nothing of meaning: for tests, and a cross-encoder's place in a demonstration.
    """

    name = "words"

    def score(self, question: str, passages: Sequence[str]) -> Scores:
        asked = frozenset(tokens(question))
        shares = [
            len(asked.intersection(tokens(passage))) / max(len(asked), 1)
            for passage in map(as_read, passages)
        ]
        return (8 * np.array(shares, dtype=np.float32) - 4).astype(np.float32)
