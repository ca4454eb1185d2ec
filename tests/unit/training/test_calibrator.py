"""Calibration: candidates share one probability; what is unknown counts neither for nor against one."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval.types import Entry, Hit
from training.apply import FEATURES, Found, Groups, Reading, Scores, candidate_features
from training.calibrate import Judged, Question, fit_calibrator
from training.choice import Choices

NAN = float("nan")


def judged(rows: list[list[float]], truth: list[float], *, each: int = 1) -> Judged:
    """`each`: candidates of a question, of a topic each."""
    numbers = np.arange(len(rows), dtype=np.float32) // each
    asked = [Question(f"{n}", "en", "a", "answerable") for n in range(len(rows) // each)]
    keys = [f"topic {n % each}" for n in range(len(rows))]
    foreign = np.full((len(asked), 2), 0.1, np.float32)
    return Judged(np.array(rows, np.float32), np.array(truth, np.float32), numbers, asked, keys, foreign)


def alone(count: int) -> Groups:
    """Messages with a candidate each."""
    return Groups.of([["a"]] * count, np.full((count, 2), 0.1, np.float32))


def test_an_unknown_feature_leaves_the_other_evidence_to_decide() -> None:
    rng = np.random.default_rng(0)
    right, wrong = rng.normal([1, 1], 0.3, (60, 2)), rng.normal([-1, -3], 0.3, (60, 2))
    rows = [list(row) for row in (*right, *wrong)]
    calibrator = fit_calibrator([judged(rows, [1.0] * 60 + [0.0] * 60)])
    assert calibrator is not None
    likely, unlikely, split = calibrator.confidence(
        np.array([[1, NAN], [-1, NAN], [NAN, NAN]], dtype=np.float32), alone(3)
    )
    assert likely > 0.8
    assert unlikely < 0.2
    assert 0.3 < split < 0.7


def test_features_of_which_nothing_is_known_are_fitted_too() -> None:
    rows = [[float(n % 2), NAN] for n in range(60)]
    calibrator = fit_calibrator([judged(rows, [float(n % 2) for n in range(60)])])
    assert calibrator is not None
    found = calibrator.confidence(np.array([[1, NAN], [1, 5]], dtype=np.float32), alone(2))
    assert np.isfinite(found).all()


def test_topics_share_what_there_is_to_share() -> None:
    """Of two that look alike neither is likely, and one with two answers counts once."""
    rng = np.random.default_rng(0)
    rows = [[1.0 if n % 2 else float(rng.integers(2))] for n in range(400)]
    truth = [float(n % 2 and (rows[n - 1][0] < 1 or rng.random() < 0.5)) for n in range(400)]
    truth = [one or float(n % 2 == 0 and rows[n][0] == 1 and not truth[n + 1]) for n, one in enumerate(truth)]
    calibrator = fit_calibrator([judged(rows, truth, each=2)])
    assert calibrator is not None
    foreign = np.full((3, 2), 0.1, np.float32)
    keys = [["a", "b"], ["a", "b"], ["a", "a", "b"]]
    features = np.array([[1], [1], [1], [0], [1], [1], [0]], dtype=np.float32)
    first, second, clear, _, twin, other, _ = calibrator.confidence(
        features, Groups.of(keys, foreign)
    ).tolist()
    assert first == second == pytest.approx(0.5, abs=0.05)
    assert clear > 0.9
    assert twin == other > 0.9


def test_a_message_without_candidates_takes_nothing_from_others() -> None:
    calibrator = fit_calibrator(
        [judged([[float(n % 2)] for n in range(60)], [float(n % 2) for n in range(60)])]
    )
    assert calibrator is not None
    row = np.array([[1.0]], dtype=np.float32)
    among = calibrator.confidence(row, Groups.of([[], ["a"], []], np.full((3, 2), 0.1, np.float32)))
    assert among.tolist() == calibrator.confidence(row, alone(1)).tolist()
    nothing = Groups.of([[]], np.full((1, 2), 0.1, np.float32))
    assert not len(calibrator.confidence(row[:0], nothing))


def test_the_slope_of_the_loss_is_its_slope() -> None:
    rng = np.random.default_rng(0)
    asked = np.repeat(np.arange(6), 3)
    truth = np.zeros(18)
    truth[[0, 4, 5, 9]] = 1  # of the second question two are right, of the last three none
    choices = Choices(
        rng.normal(size=(18, 2)), np.c_[rng.normal(size=6), np.ones(6)], asked, truth, np.ones(6)
    )
    at, step = rng.normal(size=4), 1e-6
    _, slope = choices.loss(at)
    for place in range(4):
        ahead = at + step * (np.arange(4) == place)
        assert (choices.loss(ahead)[0] - choices.loss(at)[0]) / step == pytest.approx(slope[place], rel=1e-3)


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
