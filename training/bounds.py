"""From which confidence on a bot answers in each language, so that it keeps its promise; and the curves behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from training.apply import Floats
from training.calibrate import SHARES, Verdict
from training.fit import SEED
from training.promise import Promise, Promised
from training.selective import calibration_error, reliability, risk_coverage
from training.thresholds import Bools, learn_bound


def learn_bounds(found: Iterable[Verdict], languages: Iterable[str], promise: Promise) -> Promised:
    """`found`: of all questions that nothing was learned from. A language without any answers nothing."""
    verdicts, spoken = list(found), sorted(set(languages))
    bounds = {lang: learn_bound(*_asked(verdicts, lang), promise) for lang in spoken}
    return Promised(promise, bounds, curves_of(verdicts, spoken))


def curves_of(found: Iterable[Verdict], languages: Iterable[str]) -> dict[str, Any]:
    """By language: whether confidences mean what they say, and what answering more would cost. JSON: {"reliability",
    "ece", "risk_coverage", "aurc"}.
    """
    verdicts = list(found)
    return {lang: _curves(*_asked(verdicts, lang)) for lang in sorted(set(languages))}


def _asked(verdicts: Sequence[Verdict], lang: str) -> tuple[Floats, Bools]:
    """n questions as customers are assumed to ask them: how sure the bot would be [n], and whether it is right [n]."""
    mixed = _mixed([verdict for verdict in verdicts if verdict.question.lang == lang])
    sure = np.array([verdict.sure for verdict in mixed], dtype=np.float32)
    return sure, np.array([verdict.right for verdict in mixed], dtype=np.bool_)


def _mixed(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """All with an answer, and of the others as many as customers are assumed to write (`SHARES`).

    Where too few are foreign, those that sound like home and have no answer stand for them: they are harder.
    """
    order = np.random.default_rng(SEED).permutation(len(verdicts))
    by_kind = {kind: [verdicts[n] for n in order if verdicts[n].question.kind == kind] for kind in SHARES}
    known = by_kind["answerable"]
    foreign = by_kind["foreign"][: round(len(known) * SHARES["foreign"] / SHARES["answerable"])]
    without = round(len(known) * (1 / SHARES["answerable"] - 1)) - len(foreign)
    return [*known, *foreign, *by_kind["removed"][:without]]


def _curves(sure: Floats, right: Bools) -> dict[str, Any]:
    groups, curve = reliability(sure, right), risk_coverage(sure, right)
    return {
        "reliability": [asdict(group) for group in groups],
        "ece": calibration_error(groups),
        "risk_coverage": curve.points(),
        "aurc": curve.area,
    }
