"""FAQ retrieval and question matching: the product's search, its shares learned on training folds, beside BM25 alone
and vectors alone over the same rows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path

import numpy as np

from bench import Options
from bench._sets import Row, rows
from bench._vectors import Kept
from retrieval.bundle import Bundle, build_bundle
from retrieval.compare import Found, Question, joined, rank
from retrieval.embed import Vectors
from retrieval.fuse import Weights
from retrieval.metrics import recall_at
from retrieval.search import gather
from retrieval.types import Entry, Query
from training.fusion import Asked, learn_weights

FOLDS = 5


def figures(found: Found, name: str, k: int) -> dict[str, float]:
    """Recall in percent, with the better of the two ways alone as its floor."""
    ours, dense, lexical = (
        100.0 * recall_at(ranked, found.right, k) for ranked in (found.ours, found.dense, found.lexical)
    )
    both = {f"{name}_dense": dense, f"{name}_bm25": lexical}
    return {name: ours, f"{name}_floor": max(dense, lexical), **both}


class Ranking:
    """Bundles of one data set, asked questions of it."""

    def __init__(self, fingerprint: str, vectors: Mapping[str, Vectors], lang: str) -> None:
        self._fingerprint, self._vectors, self._lang = fingerprint, vectors, lang

    @contextmanager
    def bundle(self, entries: Sequence[Entry]) -> Iterator[Bundle]:
        with tempfile.TemporaryDirectory(prefix="kefu-bench-") as place:
            yield build_bundle(
                Path(place) / "bundle", entries, self._vectors,
                encoder_fingerprint=self._fingerprint, revision=1,
            )  # fmt: skip

    def query(self, text: str) -> Query:
        return Query(text, self._vectors[text], self._lang)

    def lessons(self, bundle: Bundle, asked: Sequence[Question]) -> list[Asked]:
        """What the shares are learned from."""
        number = {key: n for n, key in enumerate(sorted({e.key for e in bundle.entries}))}
        made = []
        for question in asked:
            found = gather(bundle, self.query(question.text))
            keys = [bundle.entries[n].key for n in found.numbers.tolist()]
            made.append(
                Asked(
                    found,
                    np.array([number[key] for key in keys], dtype=np.int64),
                    np.array([key in question.right for key in keys], dtype=np.bool_),
                )
            )
        return made

    def found(self, bundle: Bundle, asked: Sequence[Question], weights: Weights) -> Found:
        return joined([rank(bundle, self.query(one.text), one.right, weights=weights) for one in asked])


def bustm(vectors: Kept, options: Options) -> dict[str, float]:
    """Corpus: distinct second sentences; asked: first sentences of pairs that mean the same. Shares from the few-shot
    part.
    """
    few = rows(options, "fewclue_bustm/train_few_all") + rows(options, "fewclue_bustm/dev_few_all")
    test = rows(options, "fewclue_bustm/test_public")
    texts = [row[name] for row in few + test for name in ("sentence1", "sentence2")]
    ranking = Ranking(vectors.encoder.fingerprint, vectors.of("fewclue_bustm", texts), "zh")
    with ranking.bundle(_sentences(few)) as bundle:
        weights = learn_weights(ranking.lessons(bundle, _pairs(few)))
    options.say(f"bustm: {weights}")
    with ranking.bundle(_sentences(test)) as bundle:
        return figures(ranking.found(bundle, _pairs(test), weights), "bustm_r1", 1)


def _sentences(pairs: Sequence[Row]) -> list[Entry]:
    texts = dict.fromkeys(row["sentence2"] for row in pairs)
    return [Entry(text, text, "zh", text, "") for text in texts]


def _pairs(pairs: Sequence[Row]) -> list[Question]:
    right: dict[str, set[str]] = {}
    for row in pairs:
        if row["label"] == "1":
            right.setdefault(row["sentence1"], set()).add(row["sentence2"])
    return [Question(text, frozenset(keys)) for text, keys in right.items()]


def stackfaq(vectors: Kept, options: Options) -> dict[str, float]:
    """A thread is an entry for each answer, under its question. Two ways of asking, see docs/benches.md."""
    threads = rows(options, "stackfaq/threads")
    measured: dict[str, float] = {}
    whole = [entry for thread in threads for entry in _entries(thread, _rephrasings(thread))]
    known = vectors.of("stackfaq", [text for entry in whole for text in entry.texts])
    ranking = Ranking(vectors.encoder.fingerprint, known, "en")
    if options.wants(*_keys("stackfaq_r5")):
        measured |= figures(_held_out_rephrasings(ranking, threads, options.say), "stackfaq_r5", 5)
    if options.wants(*_keys("stackfaq_cold_r5")):
        measured |= figures(_questions_alone(ranking, threads, options.say), "stackfaq_cold_r5", 5)
    return measured


def _keys(name: str) -> list[str]:
    return [name, f"{name}_floor", f"{name}_dense", f"{name}_bm25"]


def _rephrasings(thread: Row) -> list[str]:
    return [*thread["rephrasings_a"], *thread["rephrasings_b"]]


def _entries(thread: Row, known: Sequence[str]) -> list[Entry]:
    key = str(thread["id"])
    return [
        Entry(f"{key}-{n}", key, "en", thread["question"], answer, alternatives=tuple(known))
        for n, answer in enumerate(thread["answers"])
    ]


def _without(threads: Sequence[Row], folds: set[int]) -> list[Entry]:
    """Everything but the rephrasings of these folds."""
    return [
        entry
        for thread in threads
        for entry in _entries(
            thread, [p for n, p in enumerate(_rephrasings(thread)) if n % FOLDS not in folds]
        )
    ]


def _asked(threads: Sequence[Row], fold: int) -> list[Question]:
    return [
        Question(text, frozenset([str(thread["id"])]))
        for thread in threads
        for n, text in enumerate(_rephrasings(thread))
        if n % FOLDS == fold
    ]


def _held_out_rephrasings(ranking: Ranking, threads: Sequence[Row], say: Callable[[str], None]) -> Found:
    """Each fold's rephrasings are asked while the others' are stored; shares from folds within those."""
    lessons: dict[int, list[Asked]] = {fold: [] for fold in range(FOLDS)}
    for one, other in combinations(range(FOLDS), 2):
        with ranking.bundle(_without(threads, {one, other})) as bundle:
            lessons[one] += ranking.lessons(bundle, _asked(threads, other))
            lessons[other] += ranking.lessons(bundle, _asked(threads, one))
    parts = []
    for fold in range(FOLDS):
        weights = learn_weights(lessons[fold])
        say(f"stackfaq, fold {fold + 1} of {FOLDS}: {weights}")
        with ranking.bundle(_without(threads, {fold})) as bundle:
            parts.append(ranking.found(bundle, _asked(threads, fold), weights))
    return joined(parts)


def _questions_alone(ranking: Ranking, threads: Sequence[Row], say: Callable[[str], None]) -> Found:
    """No rephrasing is stored; shares from the other folds' threads."""
    parts = []
    with ranking.bundle(_without(threads, set(range(FOLDS)))) as bundle:
        asked = [
            [q for f in range(FOLDS) for q in _asked(threads[start::FOLDS], f)] for start in range(FOLDS)
        ]
        lessons = [ranking.lessons(bundle, part) for part in asked]
        for fold, part in enumerate(asked):
            weights = learn_weights([a for n, other in enumerate(lessons) if n != fold for a in other])
            say(f"stackfaq without rephrasings, fold {fold + 1} of {FOLDS}: {weights}")
            parts.append(ranking.found(bundle, part, weights))
    return joined(parts)
