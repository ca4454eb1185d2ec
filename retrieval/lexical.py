"""Lexical search: BM25 over phrases, our own terms, kept as plain arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.embed import Vectors

K1 = 1.2
B = 0.75
"""Lucene's values; from .6 to 1.5 and .3 to .75 nothing moved by more than a percent on question pairs."""


@dataclass(frozen=True, slots=True)
class _Found:
    """Every distinct term of `asked` messages that a row has. `places` of the terms, `counts` of each one's rows, and
    of these the `cells` in [asked, rows], one term's after the other's.
    """

    places: Sequence[int]
    counts: Sequence[int]
    cells: NDArray[np.int64]
    asked: int


class Lexical:
    """Immutable; searches may run in any number of threads."""

    def __init__(self, bm25: Any, rows: int) -> None:
        """`bm25`: a bm25s index, or None where no phrase has a term."""
        self._bm25 = bm25
        self._rows = rows
        self._vocabulary: dict[str, int] = bm25.vocab_dict if bm25 else {}
        found = np.diff(bm25.scores["indptr"]) if bm25 else np.zeros(0)
        # Lists: terms are looked up one by one, which an array makes slow.
        self._ends: list[int] = bm25.scores["indptr"].tolist() if bm25 else [0]
        self._idf: list[float] = np.log1p((rows - found + 0.5) / (found + 0.5)).tolist()
        self._unknown = float(np.log1p((rows + 0.5) / 0.5))

    @classmethod
    def build(cls, documents: Sequence[Sequence[str]]) -> Lexical:
        """`documents`: the terms of each phrase, in row order."""
        if not any(documents):
            return cls(None, len(documents))
        import bm25s

        vocabulary: dict[str, int] = {}
        ids = [[vocabulary.setdefault(term, len(vocabulary)) for term in terms] for terms in documents]
        bm25 = bm25s.BM25(k1=K1, b=B, method="lucene", backend="numpy")
        bm25.index((ids, vocabulary), show_progress=False, create_empty_token=False)
        return cls(bm25, len(documents))

    @classmethod
    def load(cls, folder: Path, rows: int) -> Lexical:
        """Raises OSError or ValueError for files that `save` did not write."""
        if not folder.is_dir():
            return cls(None, rows)
        import bm25s

        return cls(bm25s.BM25.load(folder, allow_pickle=False, show_progress=False), rows)

    def save(self, folder: Path) -> None:
        if self._bm25:
            self._bm25.save(folder, allow_pickle=False, show_progress=False)

    def scores(self, asked: Sequence[Iterable[str]]) -> Vectors:
        """BM25 of every row for the terms of each message: float32 [asked, rows], >= 0."""
        return self._scores(self._found(asked))

    def scores_and_held(self, asked: Sequence[Iterable[str]]) -> tuple[Vectors, NDArray[np.float64]]:
        """`scores`, and the weight of the terms of each message that every row holds: float64 [asked, rows]."""
        found = self._found(asked)
        idf = np.array([self._idf[place] for place in found.places])
        return self._scores(found), self._summed(found, idf.repeat(found.counts))

    def weight(self, term: str) -> float:
        """IDF: log(1 + (rows - n + .5) / (n + .5)) for a term in n phrases, Lucene's form; largest for
        unknown.
        """
        place = self._vocabulary.get(term)
        return self._unknown if place is None else self._idf[place]

    def knows(self, term: str) -> bool:
        """Whether any phrase has it."""
        return term in self._vocabulary

    def coverage(self, terms: Iterable[str], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Share (0..1) of the weight of distinct `terms` that each of `rows` holds: float64, in their shape."""
        distinct = tuple(dict.fromkeys(terms))
        held = np.zeros(rows.shape)
        for term in distinct:
            if (place := self._vocabulary.get(term)) is not None:
                held += self._idf[place] * self._holds(place, rows)
        return held / self.bound(distinct)

    def bound(self, terms: Iterable[str]) -> float:
        """What no BM25 of these distinct terms can exceed: the sum of their weights; above 0 always."""
        return sum(map(self.weight, terms)) or 1.0

    def _found(self, asked: Sequence[Iterable[str]]) -> _Found:
        known = self._vocabulary
        pairs = [(n, known[t]) for n, terms in enumerate(asked) for t in dict.fromkeys(terms) if t in known]
        places = [place for _, place in pairs]
        counts = [self._ends[place + 1] - self._ends[place] for place in places]
        if not pairs:
            return _Found(places, counts, np.zeros(0, dtype=np.int64), len(asked))
        rows = np.concatenate([self._bm25.scores["indices"][self._slice(place)] for place in places])
        firsts = np.array([number * self._rows for number, _ in pairs])
        return _Found(places, counts, rows + firsts.repeat(counts), len(asked))

    def _scores(self, found: _Found) -> Vectors:
        scores = [self._bm25.scores["data"][self._slice(place)] for place in found.places]
        return self._summed(found, np.concatenate(scores or [np.zeros(0)])).astype(np.float32)

    def _summed(self, found: _Found, weights: NDArray[Any]) -> NDArray[np.float64]:
        """float64 [asked, rows]. `weights`: of the terms' rows, one term after the other.

        One count for all terms: bm25s adds them up term by term, for twice as long.
        """
        summed = np.bincount(found.cells, weights, minlength=found.asked * self._rows)
        return np.asarray(summed, dtype=np.float64).reshape(found.asked, self._rows)

    def _slice(self, place: int) -> slice:
        """Where the rows of a term stand, and what each scores by it."""
        return slice(self._ends[place], self._ends[place + 1])

    def _holds(self, place: int, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        found = self._bm25.scores["indices"][self._slice(place)]  # ascending, never empty
        same: NDArray[np.bool_] = found.take(found.searchsorted(rows), mode="clip") == rows
        return same
