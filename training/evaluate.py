"""How good a classifier is on texts that it has not seen: accuracy, F1, confusions, calibration, by language."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.apply import Floats
from training.evaluation import Evaluation, rows_hash
from training.measures import (
    BINS,
    Outcome,
    bins,
    label_metrics,
    languages,
    rank_metrics,
    scope_metrics,
)

WORST_PAIRS = 20
SHOWN = 3
"""Texts shown of each confused pair."""
MATRIX = 12
"""Labels of the confusion matrix that is shown: those with the most mistakes."""
CURVE = 100
"""Points of a curve, at most: more cannot be seen."""
Rows = Sequence[Mapping[str, Any]]
"""Of a data set: {"text", "label", "lang"?, "group"?, "line"?} each."""


def judged_labels(family: str, outcome: Outcome, rows: Rows, trained: Mapping[str, int]) -> Evaluation:
    """Of a classification (`intent`, `sentiment`): metrics, what a page shows of it, and the hash of its rows.

    `rows`: one for each text of `outcome`, in order; `trained`: examples that each label had to learn from.
    """
    langs = languages([row["text"] for row in rows], [row.get("lang") for row in rows])
    shown = [{key: row[key] for key in ("text", "line") if row.get(key) is not None} for row in rows]
    details = {
        "figures": figures(outcome),
        "languages": by_language(outcome, langs),
        "labels": by_label(outcome, trained),
        "confusions": confusions(outcome, shown),
        "matrix": matrix(outcome),
        "calibration": calibration(outcome),
    }
    found = label_metrics(family, outcome, langs=langs, groups=_groups(rows))
    return Evaluation(found, {family: details, "tests": {family: _hash(rows)}})


def judged_ranking(places: Sequence[int | None], rows: Rows, family: str = "retrieval") -> Evaluation:
    """Of search: `places` as `rank_metrics` takes them, one for each row."""
    langs = languages([row["text"] for row in rows], [row.get("lang") for row in rows])
    found = rank_metrics(family, places, langs=langs, groups=_groups(rows))
    return Evaluation(found, {"tests": {family: _hash(rows)}})


def judged_scope(inside: Floats, outside: Floats, rows: Rows) -> Evaluation:
    """How well what is out of scope is told apart: `inside` [n], `outside` [m] as `scope_metrics` takes them.

    `rows`: all of them, of both kinds.
    """
    details = {"inside": len(inside), "outside": len(outside), "roc": roc(inside, outside)}
    return Evaluation(scope_metrics(inside, outside), {"scope": details, "tests": {"scope": _hash(rows)}})


def _groups(rows: Rows) -> list[str] | None:
    """A row without a group is one of its own."""
    if not any(row.get("group") for row in rows):
        return None
    return [str(row.get("group") or f"row {number}") for number, row in enumerate(rows)]


def _hash(rows: Iterable[Mapping[str, Any]]) -> str:
    return rows_hash((str(row["text"]), str(row["label"])) for row in rows)


def figures(outcome: Outcome) -> dict[str, float] | None:
    """None for no text. F1 over the labels that are true or were named; of one label a text micro F1 is accuracy."""
    from sklearn.metrics import f1_score

    if not len(outcome.truth):
        return None
    macro, micro = (
        float(f1_score(outcome.truth, outcome.named, average=average, zero_division=0))
        for average in ("macro", "micro")
    )
    return {
        "texts": len(outcome.truth),
        "accuracy": float(outcome.right.mean()),
        "macro_f1": macro,
        "micro_f1": micro,
    }


def by_label(outcome: Outcome, trained: Mapping[str, int]) -> list[dict[str, Any]]:
    """Worst F1 first. `trained`: examples of each label; a label may stand in one of the two files only."""
    from sklearn.metrics import precision_recall_fscore_support

    labels = sorted({*trained, *outcome.truth.tolist()})
    columns = precision_recall_fscore_support(outcome.truth, outcome.named, labels=labels, zero_division=0)
    rows = [
        {
            "label": label,
            "precision": float(precision),
            "recall": float(recall),
            "f1": float(f1),
            "support": int(support),
            "trained": trained.get(label, 0),
        }
        for label, precision, recall, f1, support in zip(labels, *columns, strict=True)
    ]
    return sorted(rows, key=lambda row: (row["support"] == 0, row["f1"], row["label"]))


def by_language(outcome: Outcome, langs: Sequence[str]) -> dict[str, dict[str, float] | None]:
    """Figures for each language."""
    known = np.array(langs)
    return {lang: figures(outcome.of(known == lang)) for lang in sorted(set(langs))}


def confusions(outcome: Outcome, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The most frequent pairs of (truth, taken for), with the surest mistakes among them."""
    wrong: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number in np.flatnonzero(~outcome.right).tolist():
        wrong[(str(outcome.truth[number]), str(outcome.named[number]))].append(number)
    worst = sorted(wrong.items(), key=lambda pair: (-len(pair[1]), pair[0]))[:WORST_PAIRS]
    return [
        {
            "truth": truth,
            "named": named,
            "count": len(numbers),
            "examples": [
                {**rows[number], "probability": float(outcome.sure[number])}
                for number in sorted(numbers, key=lambda number: -outcome.sure[number])[:SHOWN]
            ],
        }
        for (truth, named), numbers in worst
    ]


def matrix(outcome: Outcome) -> dict[str, Any]:
    """The labels with the most mistakes, worst first, and how often each was taken for each: counts[is][named]."""
    wrong = ~outcome.right
    most = Counter(np.r_[outcome.truth[wrong], outcome.named[wrong]].tolist())
    labels = [label for label, _ in sorted(most.items(), key=lambda pair: (-pair[1], pair[0]))[:MATRIX]]
    pairs = Counter(zip(outcome.truth.tolist(), outcome.named.tolist(), strict=True))
    return {"labels": labels, "counts": [[pairs[true, named] for named in labels] for true in labels]}


def roc(inside: Floats, outside: Floats) -> list[list[float]]:
    """[share of `inside` that is rejected, share of `outside` that is found] from (0, 0) to (1, 1); none of nothing."""
    from sklearn.metrics import roc_curve

    if not len(inside) or not len(outside):
        return []
    truth = np.r_[np.zeros(len(inside)), np.ones(len(outside))]
    rejected, found, _ = roc_curve(truth, np.r_[inside, outside])
    places = np.unique(np.linspace(0, len(rejected) - 1, CURVE).astype(np.int64))
    return [[round(float(rejected[place]), 4), round(float(found[place]), 4)] for place in places]


def calibration(outcome: Outcome) -> dict[str, Any]:
    """Expected calibration error (Naeini et al. 2015): the mean distance, over texts, of a bin's mean probability from
    its share of right answers. Bins hold probabilities above `from`, up to `to`.
    """
    places = bins(outcome.sure)
    rows = [_bin(outcome, places == place, place) for place in range(BINS)]
    gaps = [row["texts"] * abs(row["probability"] - row["right"]) for row in rows if row["texts"]]
    return {"ece": sum(gaps) / max(len(outcome.truth), 1), "bins": rows}


def _bin(outcome: Outcome, here: NDArray[np.bool_], place: int) -> dict[str, Any]:
    some = bool(here.any())
    return {
        "from": place / BINS,
        "to": (place + 1) / BINS,
        "texts": int(here.sum()),
        "probability": float(outcome.sure[here].mean()) if some else None,
        "right": float(outcome.right[here].mean()) if some else None,
    }


def counted(labels: Sequence[str]) -> dict[str, int]:
    """How often each label stands there."""
    return dict(Counter(labels))
