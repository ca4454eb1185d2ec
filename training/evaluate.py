"""How good a classifier is on texts that it has not seen: accuracy, F1, confusions, calibration, by language."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.measures import BINS, Outcome, bins, languages

WORST_PAIRS = 20
SHOWN = 3
"""Texts shown of each confused pair."""


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


def by_language(outcome: Outcome, texts: Sequence[str]) -> dict[str, dict[str, float] | None]:
    """Figures for each language; "other" is neither Chinese nor English."""
    langs = np.array(languages(texts))
    return {lang: figures(outcome.of(langs == lang)) for lang in sorted(set(langs.tolist()))}


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
