"""The job that trains on a plain data set and measures on another part of it: files in, files out.

In (`work`): plan.json ({"foreign": label or null, "timed": [row of test.jsonl, encoder's ms]}), train.jsonl,
test.jsonl and maybe valid.jsonl ({"text", "label", "line", "leak"?}), texts.json (a list) and vectors.npy (float32
[texts, dim], the row of each text). Out: figures.json.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from training.apply import OUT_OF_SCOPE, Floats, IntentHead
from training.evaluate import counted, figures, judged_labels, judged_scope
from training.evaluation import Evaluation, joined, to_json
from training.examples import Encode, Judged, Labelled, fit_examples, judge
from training.fit import FOLDS, SEED
from training.measures import IN_SCOPE, Outcome, latency_metrics
from training.progress import Report
from training.scope import auroc, recall

FIGURES = "figures.json"
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Work:
    """What the folder holds. `valid` may be empty."""

    plan: Mapping[str, Any]
    train: Rows
    valid: Rows
    test: Rows
    encode: Encode


def run(folder: Path, *, report: Report) -> dict[str, Any]:
    """Fit, judge the test rows, write figures.json; returns it."""
    work = _read(folder)
    steps = FOLDS + 2
    report("fitting", 0, steps, "fitting")
    begun = time.perf_counter()
    head, held_out = fit_examples(
        _labelled(work.train),
        work.encode,
        valid=_labelled(work.valid) if work.valid else None,
        foreign=work.plan["foreign"] or OUT_OF_SCOPE,
        done=lambda fold: report("fitting", fold, steps, "fitting"),
    )
    seconds = time.perf_counter() - begun
    report("judging", FOLDS + 1, steps, "judging the test file")
    found = {
        "held_out": {"by": "valid" if work.valid else "folds", "accuracy": held_out},
        **_judge(work, head),
        "head": {"temperature": head.temperature, "share_of_words": head.share},
        "fit_seconds": seconds,
        "seeds": {"fit": SEED},
        "versions": {name: version(name) for name in ("numpy", "scikit-learn")},
    }
    (folder / FIGURES).write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    report("judged", steps, steps, "judging the test file")
    return found


def _read(folder: Path) -> Work:
    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    vectors = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
    place = {text: number for number, text in enumerate(texts)}

    def encode(some: Sequence[str]) -> Floats:
        rows: Floats = vectors[[place[text] for text in some]]
        return rows

    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    train, valid, test = (_lines(folder / f"{name}.jsonl") for name in ("train", "valid", "test"))
    return Work(plan, train, valid, test, encode)


def _lines(path: Path) -> Rows:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def _labelled(rows: Rows) -> Labelled:
    return Labelled([row["text"] for row in rows], [row["label"] for row in rows])


def _judge(work: Work, head: IntentHead) -> dict[str, Any]:
    """Everything but scope is of the rows that are in scope, with nothing rejected."""
    foreign = work.plan["foreign"]
    inside = [row for row in work.test if row["label"] != foreign]
    outside = [row for row in work.test if row["label"] == foreign]
    judged = judge(head, [row["text"] for row in inside], work.encode, foreign=foreign)
    outcome = Outcome(np.array([row["label"] for row in inside], dtype=np.str_), judged.labels, judged.sure)
    clean = np.array([not row["leak"] for row in inside], dtype=np.bool_)
    trained = counted([row["label"] for row in work.train if row["label"] != foreign])
    parts, scope = [judged_labels("intent", outcome, inside, trained)], None
    if outside:
        strange = judge(head, [row["text"] for row in outside], work.encode, foreign=foreign).outside
        parts.append(judged_scope(judged.outside, strange, work.test))
        scope = _scope(work, outcome, judged, strange) | parts[1].details["scope"]
    whole, alone = _latency(work, head)
    found = joined([*parts, Evaluation(latency_metrics(whole))])
    return {
        **found.details["intent"],
        "without_leaks": None if clean.all() else figures(outcome.of(clean)),
        "scope": scope,
        "latency_ms": _summary(whole, alone),
        "metrics": to_json(found)["metrics"],
        "tests": dict(found.tests),
    }


def _scope(work: Work, outcome: Outcome, inside: Judged, outside: Floats) -> dict[str, Any]:
    everything = np.ones(len(inside.outside), dtype=np.bool_)
    return {
        "trained": sum(row["label"] == work.plan["foreign"] for row in work.train),
        "auroc": auroc(inside.outside, outside),
        "in_scope": IN_SCOPE,
        "recall_accepted": recall(everything, inside.outside, outside),
        "recall_right": recall(outcome.right, inside.outside, outside),
    }


def _latency(work: Work, head: IntentHead) -> tuple[list[float], list[float]]:
    """Milliseconds of one text at a time: the encoder as it was timed and the head after it, and the head alone."""
    whole, alone = [], []
    for number, encoded in work.plan["timed"]:
        text = work.test[number]["text"]
        vectors = work.encode([text])
        begun = time.perf_counter()
        head.probabilities(vectors, [text])
        alone.append(1000 * (time.perf_counter() - begun))
        whole.append(encoded + alone[-1])
    return whole, alone


def _summary(whole: Sequence[float], alone: Sequence[float]) -> dict[str, float]:
    return {
        "texts": len(whole),
        "median": float(np.median(whole)),
        "p95": float(np.percentile(whole, 95)),
        "head_median": float(np.median(alone)),
    }
