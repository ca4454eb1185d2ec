"""Calibration: what is unknown counts neither for nor against a candidate."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval.types import Entry, Hit
from training.apply import FEATURES, Found, Reading, Scores, candidate_features
from training.calibrate import Judged, fit_calibrator

NAN = float("nan")


def judged(rows: list[list[float]], truth: list[float]) -> Judged:
    numbers = np.arange(len(rows), dtype=np.float32)
    return Judged(
        np.array(rows, np.float32), np.array(truth, np.float32), np.ones(len(rows), np.float32), numbers
    )


def test_an_unknown_feature_leaves_the_other_evidence_to_decide() -> None:
    rng = np.random.default_rng(0)
    right, wrong = rng.normal([1, 1], 0.3, (60, 2)), rng.normal([-1, -3], 0.3, (60, 2))
    rows = [list(row) for row in (*right, *wrong)]
    calibrator = fit_calibrator([judged(rows, [1.0] * 60 + [0.0] * 60)])
    assert calibrator is not None
    likely, unlikely, split = calibrator.confidence(
        np.array([[1, NAN], [-1, NAN], [NAN, NAN]], dtype=np.float32)
    )
    assert likely > 0.8
    assert unlikely < 0.2
    assert 0.3 < split < 0.7


def test_features_of_which_nothing_is_known_are_fitted_too() -> None:
    rows = [[float(n % 2), NAN] for n in range(60)]
    calibrator = fit_calibrator([judged(rows, [float(n % 2) for n in range(60)])])
    assert calibrator is not None
    assert np.isfinite(calibrator.confidence(np.array([[1, NAN], [1, 5]], dtype=np.float32))).all()


def test_what_stands_under_no_intent_is_not_spoken_against() -> None:
    hits = [
        Hit(Entry(name, name, "en", "q", "a", intent=intent), 0.5, 0.5, 1.0, "q")
        for name, intent in (("faq", "cards"), ("document", None))
    ]
    reading = Reading(Scores.of({"cards": 0.9, "loans": 0.1}), Scores.of({}))
    faq, document = candidate_features([Found(hits, reading, 3, "en")])
    assert np.isfinite(faq).all()
    assert np.isnan(document).sum() == 2


def test_evidence_for_several_texts_at_once_is_that_for_each_alone() -> None:
    def hit(key: str, score: float, intent: str | None) -> Hit:
        entry = Entry(f"{key}-{score}", key, "en", "q", "a", intent=intent)
        return Hit(entry, score, score / 2, 4 * score, "q", coverage=0.5, passage=score / 3)

    def reading(card: float) -> Reading:
        return Reading(
            Scores.of({"cards": card, "loans": 1 - card}), Scores.of({"a": card, "b": 0.2, "c": 0.1})
        )

    found = [
        Found([hit("a", 0.9, "cards"), hit("b", 0.8, "loans"), hit("a", 0.7, None)], reading(0.7), 3, "en"),
        Found([], reading(0.2), 0, "zh"),
        Found([hit("unknown", 0.4, "other")], reading(0.5), 1, "zh"),
        Found([hit("c", 0.6, "loans"), hit("a", 0.5, "cards")], reading(0.1), 5, "en"),
    ]
    together = candidate_features(found)
    assert together.shape == (6, len(FEATURES))
    assert np.array_equal(together, np.concatenate([candidate_features([f]) for f in found]), equal_nan=True)
    margin = together[:, FEATURES.index("score_margin")]
    assert margin == pytest.approx([0.1, -0.1, -0.1, 0.4, 0.1, -0.1], abs=1e-6)
