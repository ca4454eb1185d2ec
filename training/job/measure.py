"""How good a job's encoder and heads are on rows that they have not seen: `evaluation.json`.

`details` has, by task, what a page shows.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.embed import Encoder
from retrieval.text import normalise
from training.apply import Floats
from training.dataset import Row, Task
from training.evaluate import counted, figures, judged_labels, judged_ranking, judged_scope
from training.evaluation import Evaluation, joined
from training.examples import Encode, judge
from training.job.heads import Fitted
from training.job.material import RETRIEVAL, Material, Part
from training.measures import IN_SCOPE, Outcome, latency_metrics, size_metrics
from training.scope import auroc, recall

TIMED = 100
"""Test texts that are encoded one at a time, for the latency."""
CORPUS = 1_000
"""Questions ranked at once."""


@dataclass(frozen=True, slots=True)
class Served:
    """What answers: the encoder as it is served, vectors that it has made, and the files that it needs."""

    encoder: Encoder
    encode: Encode
    files: Sequence[Path]


def measured(material: Material, heads: Mapping[Task, Fitted], served: Served) -> Evaluation:
    """Of every task that has test rows."""
    parts = [
        _label_part(task, part, heads[task], material.foreign, served)
        for task, part in material.labelled.items()
        if part.test
    ]
    if (pairs := material.parts.get(RETRIEVAL)) and pairs.test:
        parts.append(_ranked(pairs, served.encode))
    return joined([*parts, Evaluation(size_metrics(served.files))])


def _label_part(task: Task, part: Part, fitted: Fitted, foreign: str, served: Served) -> Evaluation:
    """Everything but scope is of the rows that are in scope, with nothing rejected."""
    head = fitted.head
    inside = [row for row in part.test if row.label != foreign]
    outside = [row for row in part.test if row.label == foreign]
    judged = judge(head, [row.text for row in inside], served.encode, foreign=foreign)
    outcome = Outcome(np.array([row.label for row in inside], dtype=np.str_), judged.labels, judged.sure)
    trained = counted([row.label for row in part.train if row.label != foreign])
    parts, scope = [judged_labels(task, outcome, _told(inside), trained)], None
    if outside:
        strange = judge(head, [row.text for row in outside], served.encode, foreign=foreign).outside
        parts.append(judged_scope(judged.outside, strange, _told(part.test)))
        scope = _scope(outcome, judged.outside, strange) | parts[1].details["scope"]
        scope["trained"] = sum(row.label == foreign for row in part.train)
    leaks = _leaks(part)
    clean = np.array([normalise(row.text) not in leaks for row in inside], dtype=np.bool_)
    whole, alone = zip(*_timed(part.test, served, fitted), strict=True)
    found = joined([*parts, Evaluation(latency_metrics(whole))])
    more = {
        "without_leaks": None if clean.all() else figures(outcome.of(clean)),
        "leaks": sum(normalise(row.text) in leaks for row in part.test),
        "scope": scope,
        "latency_ms": _summary(whole, alone),
        "held_out": dict(fitted.held_out),
        "head": {"temperature": head.temperature, "share_of_words": head.share},
    }
    return Evaluation(found.metrics, {**found.details, task: {**found.details[task], **more}})


def _told(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [{name: value for name, value in asdict(row).items() if value is not None} for row in rows]


def _scope(outcome: Outcome, inside: Floats, outside: Floats) -> dict[str, Any]:
    everything = np.ones(len(inside), dtype=np.bool_)
    return {
        "auroc": auroc(inside, outside),
        "in_scope": IN_SCOPE,
        "recall_accepted": recall(everything, inside, outside),
        "recall_right": recall(outcome.right, inside, outside),
    }


def _summary(whole: Sequence[float], alone: Sequence[float]) -> dict[str, float]:
    return {
        "texts": len(whole),
        "median": float(np.median(whole)),
        "p95": float(np.percentile(whole, 95)),
        "head_median": float(np.median(alone)),
    }


def _leaks(part: Part) -> set[str]:
    """What was learned from, or chosen by."""
    return {normalise(row.text) for row in part.everything}


def _timed(rows: Sequence[Row], served: Served, fitted: Fitted) -> list[tuple[float, float]]:
    """(encoder and head, head alone) in milliseconds, of texts one at a time, all over the test rows."""
    step = max(len(rows) // TIMED, 1)
    served.encoder.encode([rows[0].text])
    return [_time(row.text, served.encoder, fitted) for row in rows[::step][:TIMED]]


def _time(text: str, encoder: Encoder, fitted: Fitted) -> tuple[float, float]:
    begun = time.perf_counter()
    vectors = encoder.encode([text])
    encoded = time.perf_counter()
    fitted.head.probabilities(vectors, [text])
    ended = time.perf_counter()
    return 1000 * (ended - begun), 1000 * (ended - encoded)


def _ranked(part: Part, encode: Encode) -> Evaluation:
    """Each test text asks for another text of its key, among the texts of all splits."""
    corpus = list({row.text: row for row in [*part.everything, *part.test]}.values())
    asked = list({row.text: row for row in part.test}.values())
    found = zip(asked, places(asked, corpus, encode), strict=True)
    known = [(row, place) for row, place in found if place]
    details = {"asked": len(known), "texts": len(corpus), "keys": len({row.label for row in corpus})}
    judged = judged_ranking([place for _, place in known], _told([row for row, _ in known]), RETRIEVAL)
    return Evaluation(judged.metrics, {**judged.details, RETRIEVAL: details})


def places(asked: Sequence[Row], corpus: Sequence[Row], encode: Encode) -> Iterator[int]:
    """Where the first other text of the same key stands, from 1; 0 where there is none."""
    vectors: Floats = encode([row.text for row in corpus])
    keys = np.array([row.label for row in corpus])
    own = {row.text: place for place, row in enumerate(corpus)}
    for start in range(0, len(asked), CORPUS):
        part = asked[start : start + CORPUS]
        scores = encode([row.text for row in part]) @ vectors.T
        scores[np.arange(len(part)), [own[row.text] for row in part]] = -np.inf
        for row, line in zip(part, scores, strict=True):
            right = keys == row.label
            right[own[row.text]] = False
            yield int((line > line[right].max()).sum()) + 1 if right.any() else 0
