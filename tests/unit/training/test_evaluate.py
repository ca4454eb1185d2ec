"""Figures of a classifier, by hand on a few texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from retrieval.embed import Vectors
from retrieval.testing import HashEncoder
from training.evaluate import (
    by_label,
    by_language,
    calibration,
    confusions,
    figures,
    judged_labels,
    judged_scope,
    matrix,
    roc,
)
from training.examples import Labelled, fit_examples, judge
from training.measures import Outcome, languages
from training.scope import auroc, recall

TRUTH = ["a", "a", "a", "b", "b", "c"]
NAMED = ["a", "a", "b", "b", "a", "a"]
SURE = [0.9, 0.8, 0.6, 0.7, 0.95, 0.3]
TEXTS = ["my card", "卡丢了", "card", "转账", "fee", "???"]


@pytest.fixture
def outcome() -> Outcome:
    return Outcome(np.array(TRUTH), np.array(NAMED), np.array(SURE, dtype=np.float32))


def test_accuracy_and_f1(outcome: Outcome) -> None:
    found = figures(outcome)
    assert found is not None
    assert (found["texts"], found["accuracy"], found["micro_f1"]) == (6, 0.5, 0.5)
    assert found["macro_f1"] == pytest.approx((2 * 2 / 7 + 2 * 1 / 4 + 0) / 3)
    assert figures(outcome.of(np.zeros(6, dtype=np.bool_))) is None


def test_labels_come_weakest_first_and_untested_ones_last(outcome: Outcome) -> None:
    rows = by_label(outcome, {"a": 9, "b": 9, "d": 2})
    assert [(row["label"], row["support"], row["trained"]) for row in rows] == [
        ("c", 1, 0), ("b", 2, 9), ("a", 3, 9), ("d", 0, 2)
    ]  # fmt: skip
    assert (rows[2]["precision"], rows[2]["recall"]) == (0.5, pytest.approx(2 / 3))


def test_languages_apart(outcome: Outcome) -> None:
    found = by_language(outcome, languages(TEXTS))
    assert {lang: part and part["accuracy"] for lang, part in found.items()} == {
        "en": pytest.approx(1 / 3), "other": 0.0, "zh": 1.0
    }  # fmt: skip


def test_confused_pairs_show_the_surest_mistakes() -> None:
    outcome = Outcome(
        np.array(["a"] * 5), np.array(["b"] * 4 + ["c"]), np.array([0.1, 0.9, 0.5, 0.7, 1], np.float32)
    )
    pairs = confusions(outcome, [{"line": n} for n in range(5)])
    assert [(pair["truth"], pair["named"], pair["count"]) for pair in pairs] == [("a", "b", 4), ("a", "c", 1)]
    assert [one["line"] for one in pairs[0]["examples"]] == [1, 3, 2]


def test_the_matrix_has_the_labels_with_the_most_mistakes(outcome: Outcome) -> None:
    assert matrix(outcome) == {"labels": ["a", "b", "c"], "counts": [[2, 1, 0], [1, 1, 0], [1, 0, 0]]}
    many = Outcome(np.array([f"{n:02}" for n in range(40)]), np.array(["00"] * 40), np.ones(40, np.float32))
    assert matrix(many)["labels"][:2] == ["00", "01"]
    assert len(matrix(many)["labels"]) == 12
    assert matrix(outcome.of(outcome.right)) == {"labels": [], "counts": []}


def test_a_roc_curve_goes_from_corner_to_corner() -> None:
    random = np.random.default_rng(3)
    inside, outside = random.random(400).astype(np.float32), random.random(300).astype(np.float32) + 0.3
    curve = roc(inside, outside)
    assert (curve[0], curve[-1]) == ([0, 0], [1, 1])
    assert curve == sorted(curve)
    assert len(curve) <= 100
    assert np.trapezoid(*np.array(curve).T[::-1]) == pytest.approx(auroc(inside, outside), abs=0.01)
    assert roc(inside, outside[:0]) == []


def test_an_evaluation_knows_its_rows_and_their_groups(outcome: Outcome) -> None:
    rows = [
        {"text": text, "label": label, "line": n}
        for n, (text, label) in enumerate(zip(TEXTS, TRUTH, strict=True))
    ]
    found = judged_labels("sentiment", outcome, rows, {"a": 1})
    assert found.metrics["sentiment.accuracy.en"].n == 3
    assert set(found.details["sentiment"]) == {
        "figures", "languages", "labels", "confusions", "matrix", "calibration"
    }  # fmt: skip
    grouped = [row | {"group": "one"} for row in rows[:5]]
    together = judged_labels("sentiment", outcome, [*grouped, rows[5]], {"a": 1})
    assert together.metrics["sentiment.accuracy"].n == 6
    assert together.metrics["sentiment.accuracy"].high > found.metrics["sentiment.accuracy"].high
    assert together.tests == found.tests
    told = [row | {"lang": "zh"} for row in rows]
    assert "sentiment.accuracy.zh" not in judged_labels("sentiment", outcome, told, {}).metrics
    scope = judged_scope(np.zeros(3, np.float32), np.ones(3, np.float32), rows)
    assert scope.metrics["scope.auroc"].value == 1.0
    assert scope.tests == {"scope": found.tests["sentiment"]}


def test_calibration_error_is_the_mean_distance_of_the_bins(outcome: Outcome) -> None:
    found = calibration(outcome)
    bins = [row for row in found["bins"] if row["texts"]]
    assert sum(row["texts"] for row in bins) == 6
    assert found["ece"] == pytest.approx((0.1 + 0.2 + 0.6 + 0.3 + 0.95 + 0.3) / 6, abs=1e-6)
    sure = Outcome(np.array(["a"]), np.array(["a"]), np.array([1.0], dtype=np.float32))
    assert calibration(sure)["bins"][-1]["texts"] == 1


def test_scope_lets_95_percent_through() -> None:
    inside = np.linspace(0.0, 0.38, 20, dtype=np.float32)
    outside = np.array([0.1, 0.35, 0.37, 0.9], dtype=np.float32)
    assert recall(np.ones(20, dtype=np.bool_), inside, outside) == 0.5
    assert recall(np.arange(20) < 18, inside, outside) == 0.0
    assert auroc(inside, outside + 1) == 1.0


def test_a_label_of_what_is_foreign_is_never_named_and_its_name_is_no_example() -> None:
    encode = HashEncoder().encode
    asked: list[str] = []

    def listening(texts: Sequence[str]) -> Vectors:
        asked.extend(texts)
        return encode(texts)

    texts = [f"{word} {n}" for n in range(6) for word in ("train to York", "fee in Bath", "zebra quark")]
    labels = ["book_travel", "ask_fee", "oos"] * 6
    head, _ = fit_examples(Labelled(texts, labels), listening, foreign="oos")
    assert "book travel" in asked
    assert "oos" not in asked
    judged = judge(head, ["zebra quark 9", "train to York 9"], encode, foreign="oos")
    assert set(judged.labels.tolist()) <= {"book_travel", "ask_fee"}
    assert judged.outside[0] > judged.outside[1]
    assert (judged.sure >= 0.5).all()  # of two labels, what is foreign left out
    assert "oos" in judge(head, ["zebra quark 9"], encode, foreign=None).labels


def test_a_validation_file_takes_the_place_of_folds() -> None:
    texts = [f"{word} {n}" for n in range(6) for word in ("train to York", "fee in Bath")]
    train = Labelled(texts, ["book_travel", "ask_fee"] * 6)
    folds: list[int] = []
    valid = Labelled(["train to York 7", "fee in Bath 7", "zebra"], ["book_travel", "ask_fee", "unknown"])
    _, accuracy = fit_examples(train, HashEncoder().encode, valid=valid, done=folds.append)
    assert (accuracy, folds) == (1.0, [])  # of those whose label is known
    fit_examples(train, HashEncoder().encode, done=folds.append)
    assert folds == [1, 2, 3]
