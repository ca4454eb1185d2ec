"""Hybrid search of one bundle: candidates from vectors and words, all evidence of each, one ranking."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.bundle import PASSAGE, Bundle
from retrieval.embed import Vectors
from retrieval.fuse import DEFAULT, Weights, fuse, normalised_cosine, passage_part, phrase_part
from retrieval.index import Rows
from retrieval.text import tokens
from retrieval.types import Hit, Query

DEPTH = 64
"""Rows taken from each list. An entry has about 5 rows, so this gives some 20 to 60 entries to rank."""
NONE = -1
_STEP = 64
_MARGIN = 4

Numbers = NDArray[np.int64]


def search(bundle: Bundle, query: Query, k: int = 8, *, weights: Weights = DEFAULT) -> list[Hit]:
    """The best k entries, best first. Blocking (about a millisecond for thousands of phrasings); any thread.

    An entry with a phrasing identical to the text comes first whatever the vectors say, of several the one in
    the query's language.
    """
    return search_all(bundle, [query], k, weights=weights)[0]


def search_all(
    bundle: Bundle, queries: Sequence[Query], k: int = 8, *, weights: Weights = DEFAULT
) -> list[list[Hit]]:
    """`search` for each. Vectors are compared in one go, so that the index is read from memory once."""
    if not len(bundle.contents.rows):
        return [[] for _ in queries]
    near = _nearest(bundle, queries)
    return [_Search(bundle, q, seen).hits(k, weights) for q, seen in zip(queries, near, strict=True)]


@dataclass(frozen=True, slots=True)
class _Near:
    """Rows with the nearest vectors, in no order; of few rows the cosines of all: float32 [rows]."""

    rows: Numbers
    cosines: Vectors | None = None


def _nearest(bundle: Bundle, queries: Sequence[Query]) -> list[_Near]:
    """What is nearest to each query's vector among what is valid on its day."""
    if bundle.contents.index.exact:
        cosines = np.stack([query.vector for query in queries]) @ bundle.contents.vectors.T
        pairs = zip(queries, cosines, strict=True)
        return [_Near(_largest(row, DEPTH, bundle.valid_rows(query.on)), row) for query, row in pairs]
    found = [_Near(np.zeros(0, dtype=np.int64))] * len(queries)
    for day in {query.on for query in queries}:
        places = [place for place, query in enumerate(queries) if query.on == day]
        vectors = np.stack([queries[place].vector for place in places])
        rows, _ = bundle.contents.index.search(vectors, DEPTH, bundle.valid_rows(day))
        for place, row in zip(places, rows, strict=True):
            found[place] = _Near(row[row != NONE])
    return found


def _largest(scores: Vectors, depth: int, where: Rows | None) -> Numbers:
    """At most `depth` rows of `where` with the largest scores."""
    if where is not None:
        rows = np.flatnonzero(where.mask)
        return rows[_largest(scores[rows], depth, None)]
    if len(scores) <= depth:
        return np.arange(len(scores))
    return np.argpartition(scores, -depth)[-depth:]


def gather(bundle: Bundle, query: Query) -> Evidence:
    """All that `search` weighs, of every candidate. The bundle must not be empty."""
    return _Search(bundle, query, _nearest(bundle, [query])[0]).evidence()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of each candidate entry [n] and of their rows [m], which follow one another entry by entry."""

    numbers: Numbers
    """[n] entries, ascending."""
    other_language: NDArray[np.bool_]
    begins: Numbers
    """[n] where each entry's rows begin."""
    rows: Numbers
    """[m], ascending."""
    is_passage: NDArray[np.bool_]
    cosines: Vectors
    cosine: Vectors
    """[m], normalised as in `retrieval.fuse`, and so is `lexical`."""
    lexical: Vectors


@dataclass(frozen=True, slots=True)
class Weighed:
    """Of each candidate entry [n]: rows of its best phrasing and its passage (or NONE), and its score."""

    phrases: Numbers
    passages: Numbers
    scores: Vectors


def weigh(found: Evidence, weights: Weights = DEFAULT) -> Weighed:
    """One score an entry: its best phrasing's part and its passage's."""
    owner = np.repeat(np.arange(len(found.numbers)), np.diff(found.begins, append=len(found.rows)))
    phrase = phrase_part(found.cosine, found.lexical, weights=weights)
    phrase = np.where(found.is_passage, np.float32(-np.inf), phrase)
    best = np.lexsort((-phrase, owner))[found.begins]
    passages = np.full(len(found.numbers), NONE, dtype=np.int64)
    passages[owner[found.is_passage]] = found.rows[found.is_passage]
    passage = np.full(len(found.numbers), np.nan, dtype=np.float32)
    part = passage_part(found.cosine, found.lexical, weights=weights)
    passage[owner[found.is_passage]] = part[found.is_passage]
    scores = fuse(phrase[best], passage, other_language=found.other_language, weights=weights)
    return Weighed(found.rows[best], passages, scores)


class _Search:
    """One query's way: `evidence`, and `hits` out of it."""

    def __init__(self, bundle: Bundle, query: Query, near: _Near) -> None:
        self.bundle, self.query, self.near = bundle, query, near
        self.data = bundle.contents
        self.terms = tuple(dict.fromkeys(tokens(query.text)))
        self.lexical = self.data.lexical.scores(self.terms)
        self.exact = bundle.exact_rows(query.text, query.on)

    def hits(self, k: int, weights: Weights) -> list[Hit]:
        found = self.evidence()
        weighed = weigh(found, weights)
        exact = {int(self.data.rows[row, 0]): row for row in reversed(self.exact)}
        is_exact = np.isin(found.numbers, list(exact))
        best = np.lexsort((-weighed.scores, is_exact & found.other_language, ~is_exact))[:k]
        numbers = found.numbers[best].tolist()
        phrases = [exact.get(n, row) for n, row in zip(numbers, weighed.phrases[best].tolist(), strict=True)]
        top = Weighed(np.array(phrases, dtype=np.int64), weighed.passages[best], weighed.scores[best])
        return self._hits(found, numbers, top, exact)

    def evidence(self) -> Evidence:
        numbers = self._candidates()
        rows, begins = self.bundle.rows_of(numbers)
        known = self.near.cosines
        cosines = self.data.vectors[rows] @ self.query.vector if known is None else known[rows]
        return Evidence(
            numbers,
            self.bundle.in_other_language(self.query.lang, numbers),
            begins,
            rows,
            is_passage=self.data.rows[rows, 1] == PASSAGE,
            cosines=cosines,
            cosine=normalised_cosine(cosines, self.data.floor),
            lexical=self.lexical[rows] / np.float32(self.data.lexical.bound(self.terms)),
        )

    def _candidates(self) -> Numbers:
        """Entry numbers, ascending."""
        where = self.bundle.valid_rows(self.query.on)
        exact = np.array(self.exact, dtype=np.int64)
        rows = np.concatenate([self.near.rows, top_rows(self.lexical, DEPTH, where), exact])
        return np.unique(self.data.rows[rows, 0]).astype(np.int64)

    def _hits(
        self, found: Evidence, numbers: Sequence[int], top: Weighed, exact: Container[int]
    ) -> list[Hit]:
        """`top`: of these entries, with the phrasing to show."""
        rows = np.concatenate([top.phrases, top.passages])
        dense = found.cosines.take(found.rows.searchsorted(rows), mode="clip")
        covered = self.data.lexical.coverage(self.terms, rows)
        hits = []
        for place, (number, row) in enumerate(zip(numbers, top.phrases.tolist(), strict=True)):
            passage = place + len(numbers)
            has_passage = rows[passage] != NONE
            hits.append(
                Hit(
                    entry=self.bundle.entries[number],
                    score=float(top.scores[place]),
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
    return rows[_largest(scores[rows], depth, None)]


def _allowed(rows: Numbers, where: Rows | None) -> Numbers:
    return rows if where is None else rows[where.mask[rows]]


def _likely_floor(scores: Vectors, depth: int) -> float:
    """A score that about four times `depth` rows exceed, judged by a sample: sorting a million would take
    longer.
    """
    sample = scores[::_STEP]
    place = max(_MARGIN * depth // _STEP, 1)
    return max(float(np.partition(sample, -place)[-place]), 0.0) if len(sample) > place else 0.0
