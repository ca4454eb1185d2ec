"""Hybrid search of one bundle: candidates from vectors and words, all evidence of each, one ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

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
CELLS = 1_000_000
"""Queries times rows that are weighed together at most: 4 MB for each kind of evidence, 8 while it is added up."""
FEW = 10_000
"""Up to so many rows the terms that each of them holds are sooner added up for all than looked for in some."""
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
    """`search` for each. All are weighed in one go: numpy then takes a third of the time, and the vectors are read from
    memory once.
    """
    if not len(bundle.contents.rows):
        return [[] for _ in queries]
    step = max(CELLS // len(bundle.contents.rows), 1) if bundle.contents.index.exact else 1
    parts = [queries[start : start + step] for start in range(0, len(queries), step)]
    return [hits for part in parts for hits in _Search(bundle, part).hits(k, weights)]


def gather(bundle: Bundle, query: Query) -> Evidence:
    """All that `search` weighs, of every candidate. The bundle must not be empty."""
    return _Search(bundle, [query]).evidence()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of each candidate entry [n] and of their rows [m], which follow one another entry by entry, query by query."""

    asked: Numbers
    """[n] numbers of the queries, ascending."""
    numbers: Numbers
    """[n] entries, ascending for each query."""
    other_language: NDArray[np.bool_]
    begins: Numbers
    """[n] where each entry's rows begin."""
    rows: Numbers
    """[m], ascending for each query."""
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
    owner = np.repeat(np.arange(len(found.numbers)), _counts(found.begins, len(found.rows)))
    phrase = phrase_part(found.cosine, found.lexical, weights=weights)
    phrase[found.is_passage] = -np.inf
    largest = np.maximum.reduceat(phrase, found.begins)
    best = np.flatnonzero(phrase == largest[owner])
    best = best[np.diff(owner[best], prepend=NONE) > 0]  # of several equal ones the first
    passages = np.full(len(found.numbers), NONE, dtype=np.int64)
    passages[owner[found.is_passage]] = found.rows[found.is_passage]
    passage = np.full(len(found.numbers), np.nan, dtype=np.float32)
    part = passage_part(found.cosine, found.lexical, weights=weights)
    passage[owner[found.is_passage]] = part[found.is_passage]
    scores = fuse(largest, passage, other_language=found.other_language, weights=weights)
    return Weighed(found.rows[best], passages, scores)


class _Search:
    """Some queries' way: `evidence`, and `hits` out of it. Arrays [queries, rows] are as large as CELLS."""

    def __init__(self, bundle: Bundle, queries: Sequence[Query]) -> None:
        self.bundle, self.queries = bundle, queries
        self.data = bundle.contents
        self.terms = [tuple(dict.fromkeys(tokens(query.text))) for query in queries]
        self.lexical, self.held = self._lexical()
        bounds = [self.data.lexical.bound(terms) for terms in self.terms]
        self.bounds: NDArray[np.float64] = np.array(bounds)
        self.exact = [self._identical(query) for query in queries]
        self.cosines = self._cosines() if self.data.index.exact else None

    def hits(self, k: int, weights: Weights) -> list[list[Hit]]:
        found = self.evidence()
        weighed = weigh(found, weights)
        same = np.array([row for exact in self.exact for row in exact.items()], dtype=np.int64).reshape(-1, 2)
        whose = np.repeat(np.arange(len(self.queries)), [len(exact) for exact in self.exact])
        places = self._places(found, whose, same[:, 0])
        is_exact = np.zeros(len(found.numbers), dtype=np.bool_)
        is_exact[places] = True
        weighed.phrases[places] = same[:, 1]
        order = np.lexsort((-weighed.scores, is_exact & found.other_language, ~is_exact, found.asked))
        rank = np.arange(len(order)) - found.asked.searchsorted(found.asked)
        return self._hits(found, weighed, order[rank < k], is_exact)

    def evidence(self) -> Evidence:
        asked, numbers = self._candidates()
        rows, begins = self.bundle.rows_of(numbers)
        whose = np.repeat(asked, _counts(begins, len(rows)))
        cosines = self._cosines_of(rows) if self.cosines is None else self.cosines[whose, rows]
        return Evidence(
            asked,
            numbers,
            self._in_other_language(asked, numbers),
            begins,
            rows,
            is_passage=self.data.rows[rows, 1] == PASSAGE,
            cosines=cosines,
            cosine=normalised_cosine(cosines, self.data.floor),
            lexical=np.divide(self.lexical[whose, rows], self.bounds[whose], dtype=np.float32),
        )

    def _identical(self, query: Query) -> dict[int, int]:
        """Entries with a phrasing that is the query's text, each with the row of its first one."""
        rows = self.bundle.exact_rows(query.text, query.on, query.audience)
        return {int(self.data.rows[row, 0]): row for row in reversed(rows)}

    def _lexical(self) -> tuple[Vectors, NDArray[np.float64] | None]:
        """BM25, and where that is sooner known for all rows than for those that are found, what they hold."""
        if len(self.data.rows) <= FEW:
            return self.data.lexical.scores_and_held(self.terms)
        return self.data.lexical.scores(self.terms), None

    def _cosines(self) -> Vectors:
        found: Vectors = np.stack([query.vector for query in self.queries]) @ self.data.vectors.T
        return found

    def _cosines_of(self, rows: Numbers) -> Vectors:
        (query,) = self.queries
        found: Vectors = self.data.vectors[rows] @ query.vector
        return found

    def _candidates(self) -> tuple[Numbers, Numbers]:
        """(query, entry) of each, ascending."""
        is_candidate = np.zeros((len(self.queries), len(self.bundle.entries)), dtype=np.bool_)
        owner = self.data.rows[:, 0]
        for place, query in enumerate(self.queries):
            where = self.bundle.allowed_rows(query.on, query.audience)
            is_candidate[place, owner[self._nearest(place, where)]] = True
            is_candidate[place, owner[top_rows(self.lexical[place], DEPTH, where)]] = True
            is_candidate[place, list(self.exact[place])] = True
        asked, numbers = np.nonzero(is_candidate)
        return asked, numbers

    def _nearest(self, place: int, where: Rows | None) -> Numbers:
        if self.cosines is not None:
            return _largest(self.cosines[place], DEPTH, where)
        rows, _ = self.data.index.search(self.queries[place].vector[None], DEPTH, where)
        found: Numbers = rows[rows != NONE]
        return found

    def _in_other_language(self, asked: Numbers, numbers: Numbers) -> NDArray[np.bool_]:
        langs = [query.lang for query in self.queries]
        others = {lang: self.bundle.in_other_language(lang, numbers) for lang in set(langs)}
        found = np.zeros(len(numbers), dtype=np.bool_)
        for lang, other in others.items():
            found |= other & np.array([one == lang for one in langs])[asked]
        return found

    def _places(self, found: Evidence, whose: Numbers, numbers: Numbers) -> Numbers:
        """Where these pairs of query and entry stand among the candidates."""
        entries = len(self.bundle.entries)
        places = (found.asked * entries + found.numbers).searchsorted(whose * entries + numbers)
        return places.astype(np.int64)

    def _hits(
        self, found: Evidence, weighed: Weighed, best: Numbers, is_exact: NDArray[np.bool_]
    ) -> list[list[Hit]]:
        """`best`: places among the candidates, best first for each query."""
        asked, begins = found.asked[best], found.begins[best]
        phrases, passages = weighed.phrases[best], weighed.passages[best]
        has_passage = passages != NONE
        first = found.rows[begins]  # an entry's rows follow one another
        of_phrase = found.cosines[begins + phrases - first]
        of_passage = np.where(has_passage, found.cosines[begins + np.maximum(passages - first, 0)], 0)
        covered = self._coverage(asked, np.stack([phrases, passages]))
        covered[1][~has_passage] = 0.0
        scores = (weighed.scores[best], of_phrase, self.lexical[asked, phrases])
        columns = (
            *([self.bundle.entries[number] for number in found.numbers[best].tolist()],),
            *(column.tolist() for column in scores),
            *(self.bundle.texts(phrases),),
            *(column.tolist() for column in (covered[0], of_passage, covered[1], is_exact[best])),
        )
        hits = list(map(Hit, *columns))
        ends = asked.searchsorted(np.arange(len(self.queries) + 1)).tolist()
        return [hits[start:end] for start, end in pairwise(ends)]

    def _coverage(self, asked: Numbers, rows: Numbers) -> NDArray[np.float64]:
        """float64 [2, n] of rows int64 [2, n] of the queries that are asked [n]."""
        if self.held is not None:
            share: NDArray[np.float64] = self.held[asked, rows] / self.bounds[asked]
            return share
        covered = np.empty(rows.shape)
        for place, terms in enumerate(self.terms):
            start, end = asked.searchsorted([place, place + 1])
            covered[:, start:end] = self.data.lexical.coverage(terms, rows[:, start:end])
        return covered


def _counts(begins: Numbers, end: int) -> Numbers:
    """Of parts that follow one another up to `end`. `np.diff` with `append` takes three times as long."""
    found: Numbers = np.diff(np.concatenate([begins, [end]]))
    return found


def top_rows(scores: Vectors, depth: int, where: Rows | None) -> Numbers:
    """At most `depth` rows of `where` with the largest scores above 0, in no order."""
    rows = _allowed(np.flatnonzero(scores > _likely_floor(scores, depth)), where)
    if len(rows) < depth:
        rows = _allowed(np.flatnonzero(scores > 0), where)
    return rows[_largest(scores[rows], depth, None)]


def _largest(scores: Vectors, depth: int, where: Rows | None) -> Numbers:
    """At most `depth` rows of `where` with the largest scores."""
    if where is not None:
        rows = np.flatnonzero(where.mask)
        return rows[_largest(scores[rows], depth, None)]
    if len(scores) <= depth:
        return np.arange(len(scores))
    return np.argpartition(scores, -depth)[-depth:]


def _allowed(rows: Numbers, where: Rows | None) -> Numbers:
    return rows if where is None else rows[where.mask[rows]]


def _likely_floor(scores: Vectors, depth: int) -> float:
    """A score that about four times `depth` rows exceed, judged by a sample: sorting a million would take
    longer.
    """
    sample = scores[::_STEP]
    place = max(_MARGIN * depth // _STEP, 1)
    return max(float(np.partition(sample, -place)[-place]), 0.0) if len(sample) > place else 0.0
