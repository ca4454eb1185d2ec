"""The words of a text beside its vector: what an encoder smooths over, a classifier may still tell labels apart by.

A linear support vector machine over weighted n-grams (term frequency by its logarithm times inverse document
frequency, length 1), of which only numbers remain to be added up when a message comes: tens of microseconds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from retrieval.text import HAN, normalise

SIZES = (2, 3, 4)
_WORD = re.compile(f"[{HAN}]|[^\\W{HAN}]+")


def grams(text: str) -> list[str]:
    """Words (a Chinese character counts as one), neighbours, and runs of 2 to 4 characters; repeated ones too."""
    folded = normalise(text)
    words = _WORD.findall(folded)
    found = [f"={word}" for word in words] + [f"={a} {b}" for a, b in pairwise(words)]
    for chunk in folded.split():
        padded = f" {chunk} "
        found += [padded[at : at + size] for size in SIZES for at in range(len(padded) - size + 1)]
    return found


@dataclass(frozen=True, slots=True)
class WordHead:
    """Margins of labels from words alone. `places`: gram -> row of `idf` [grams] and `weight` [grams, labels]."""

    places: Mapping[str, int]
    idf: NDArray[np.float32]
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    def margins(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32 [n, labels]: about 1 for a label that the words speak for, about -1 for the others."""
        return (
            np.stack([self._margin(text) for text in texts])
            if texts
            else np.zeros((0, len(self.bias)), np.float32)
        )

    def _margin(self, text: str) -> NDArray[np.float32]:
        counts = Counter(map(self.places.get, grams(text)))
        counts.pop(None, None)  # of those that no example had
        if not counts:
            return self.bias
        rows = np.fromiter(counts, dtype=np.int64)
        values = (1.0 + np.log(np.fromiter(counts.values(), dtype=np.float32))) * self.idf[rows]
        margin: NDArray[np.float32] = values / np.linalg.norm(values) @ self.weight[rows] + self.bias
        return margin
