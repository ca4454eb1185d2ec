"""Hybrid search of one bundle: candidates from vectors and words, all evidence of each, one ranking."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.bundle import PASSAGE, Bundle
from retrieval.embed import Vectors
from retrieval.fuse import fuse, normalised_cosine, passage_part, phrase_part
from retrieval.index import Rows
from retrieval.text import tokens
from retrieval.types import Hit, Query

DEPTH = 64
"""Rows taken from each list. An entry has about 5 rows, so this gives some 20 to 60 entries to rank."""
NONE = -1
_STEP = 64
_MARGIN = 4

Numbers = NDArray[np.int64]


def search(bundle: Bundle, query: Query, k: int = 8) -> list[Hit]:
    """The best k entries, best first. Blocking (about a millisecond for thousands of phrasings); any thread.

    An entry with a phrasing identical to the text comes first whatever the vectors say, of several the one in
    the query's language.
    """
    return _Search(bundle, query).hits(k) if len(bundle.contents.rows) else []


@dataclass(frozen=True, slots=True)
class _Evidence:
    """Of each candidate entry: number, rows of its best phrasing and its passage (or NONE), language,
    score. `rows`: all rows of all of them, ascending, with their cosines.
    """

    rows: Numbers
    cosines: Vectors
    numbers: Numbers
    phrases: Numbers
    passages: Numbers
    other_language: NDArray[np.bool_]
    scores: Vectors


class _Search:
    """One query's way: `hits` is all that is asked of it."""

    def __init__(self, bundle: Bundle, query: Query) -> None:
        self.bundle, self.query = bundle, query
        self.data = bundle.contents
        self.terms = tuple(dict.fromkeys(tokens(query.text)))
        self.lexical = self.data.lexical.scores(self.terms)
        self.exact = bundle.exact_rows(query.text, query.on)

    def hits(self, k: int) -> list[Hit]:
        found = self._evidence(self._candidates())
        exact = {int(self.data.rows[row, 0]): row for row in reversed(self.exact)}
        is_exact = np.isin(found.numbers, list(exact))
        best = np.lexsort((-found.scores, is_exact & found.other_language, ~is_exact))[:k]
        numbers = found.numbers[best].tolist()
        phrases = [exact.get(n, row) for n, row in zip(numbers, found.phrases[best].tolist(), strict=True)]
        return self._hits(found, best, phrases, exact)

    def _candidates(self) -> Numbers:
        """Entry numbers, ascending."""
        where = self.bundle.valid_rows(self.query.on)
        dense, _ = self.data.index.search(self.query.vector[None], DEPTH, where)
        exact = np.array(self.exact, dtype=np.int64)
        rows = np.concatenate([dense[0][dense[0] != NONE], top_rows(self.lexical, DEPTH, where), exact])
        return np.unique(self.data.rows[rows, 0]).astype(np.int64)

    def _evidence(self, numbers: Numbers) -> _Evidence:
        rows, begins = self.bundle.rows_of(numbers)
        owner = np.repeat(np.arange(len(numbers)), np.diff(begins, append=len(rows)))
        is_passage = self.data.rows[rows, 1] == PASSAGE
        cosines = self.data.vectors[rows] @ self.query.vector
        cosine = normalised_cosine(cosines, self.data.floor)
        lexical = self.lexical[rows] / np.float32(self.data.lexical.bound(self.terms))
        phrase = np.where(is_passage, np.float32(-np.inf), phrase_part(cosine, lexical))
        best = np.lexsort((-phrase, owner))[begins]
        passages = np.full(len(numbers), NONE, dtype=np.int64)
        passages[owner[is_passage]] = rows[is_passage]
        passage = np.full(len(numbers), np.nan, dtype=np.float32)
        passage[owner[is_passage]] = passage_part(cosine, lexical)[is_passage]
        other = self.bundle.in_other_language(self.query.lang, numbers)
        scores = fuse(phrase[best], passage, other_language=other)
        return _Evidence(rows, cosines, numbers, rows[best], passages, other, scores)

    def _hits(self, found: _Evidence, best: Numbers, phrases: list[int], exact: dict[int, int]) -> list[Hit]:
        """`best`: places in `found`; `phrases`: the phrasing's row for each of them."""
        rows = np.concatenate([np.array(phrases, dtype=np.int64), found.passages[best]])
        dense = found.cosines.take(found.rows.searchsorted(rows), mode="clip")
        covered = self.data.lexical.coverage(self.terms, rows)
        hits = []
        for place, (at, row) in enumerate(zip(best.tolist(), phrases, strict=True)):
            number, passage = int(found.numbers[at]), place + len(phrases)
            has_passage = rows[passage] != NONE
            hits.append(
                Hit(
                    entry=self.bundle.entries[number],
                    score=float(found.scores[at]),
                    dense=float(dense[place]),
                    lexical=float(self.lexical[row]),
                    phrase=self.bundle.text(row),
                    coverage=float(covered[place]),
                    passage=float(dense[passage]) if has_passage else 0.0,
                    passage_coverage=float(covered[passage]) if has_passage else 0.0,
                    exact=number in exact,
                )
            )
        return hits


def top_rows(scores: Vectors, depth: int, where: Rows | None) -> Numbers:
    """At most `depth` rows of `where` with the largest scores above 0, in no order."""
    rows = _allowed(np.flatnonzero(scores > _likely_floor(scores, depth)), where)
    if len(rows) < depth:
        rows = _allowed(np.flatnonzero(scores > 0), where)
    if len(rows) <= depth:
        return rows
    return rows[np.argpartition(scores[rows], -depth)[-depth:]]


def _allowed(rows: Numbers, where: Rows | None) -> Numbers:
    return rows if where is None else rows[where.mask[rows]]


def _likely_floor(scores: Vectors, depth: int) -> float:
    """A score that about four times `depth` rows exceed, judged by a sample: sorting a million would take
    longer.
    """
    sample = scores[::_STEP]
    place = max(_MARGIN * depth // _STEP, 1)
    return max(float(np.partition(sample, -place)[-place]), 0.0) if len(sample) > place else 0.0
