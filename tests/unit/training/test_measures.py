"""Intervals against what is known of them, figures against scikit-learn's, evaluations against each other."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from training.bootstrap import mean_of, share_of
from training.evaluation import (
    Evaluation,
    EvaluationError,
    Metric,
    joined,
    read_evaluation,
    rows_hash,
    write_evaluation,
)
from training.measures import Outcome, label_metrics, scope_metrics, size_metrics
from training.scope import recall


def outcome(rows: int, labels: int, right: float) -> Outcome:
    random = np.random.default_rng(5)
    names = np.array([f"label_{n}" for n in range(labels)])
    truth, other = names[random.integers(labels, size=rows)], names[random.integers(labels, size=rows)]
    named = np.where(random.random(rows) < right, truth, other)
    return Outcome(truth, named, random.random(rows).astype(np.float32))


def test_an_interval_is_as_wide_as_chance_makes_it() -> None:
    """Of a share: about 1.96 standard errors to each side."""
    right = np.arange(400) < 300
    one = share_of(right)
    error = 1.96 * (0.75 * 0.25 / 400) ** 0.5
    assert one.value == 0.75
    assert one.high - one.value == pytest.approx(error, rel=0.15)
    assert one.value - one.low == pytest.approx(error, rel=0.15)


@pytest.mark.parametrize(
    ("right", "rows", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (5, 5, 0.5655, 1.0), (0, 5, 0.0, 0.4345), (1, 1, 0.2065, 1.0)],
)
def test_a_share_has_wilsons_interval(right: int, rows: int, low: float, high: float) -> None:
    one = share_of(np.arange(rows) < right)
    assert (one.low, one.high) == pytest.approx((low, high), abs=1e-4)


def test_an_interval_is_never_without_width_and_a_bootstrap_of_few_groups_is_no_narrower_than_wilsons() -> (
    None
):
    same = np.ones(12, dtype=np.bool_)
    groups = [str(row // 4) for row in range(12)]
    assert share_of(same, groups=groups).low == pytest.approx(share_of(same[:3]).low)
    assert mean_of(np.full(12, 0.5)).low < 0.5 < mean_of(np.full(12, 0.5)).high


def test_rows_of_one_conversation_are_drawn_together() -> None:
    """A hundred conversations of four rows that all say the same know no more than a hundred rows."""
    right = np.repeat(np.arange(100) < 75, 4)
    groups = [str(row // 4) for row in range(400)]
    alone, together = share_of(right), share_of(right, groups=groups)
    assert together.value == alone.value
    assert (together.high - together.low) / (alone.high - alone.low) == pytest.approx(2, rel=0.15)


def test_macro_f1_and_auroc_are_those_of_scikit_learn() -> None:
    of, random = outcome(300, 12, 0.7), np.random.default_rng(6)
    found = label_metrics("intent", of)["intent.macro_f1"]
    assert found.value == pytest.approx(f1_score(of.truth, of.named, average="macro"))
    inside, outside = (
        np.round(random.random(n) + more, 1).astype(np.float32) for n, more in ((80, 0), (30, 0.4))
    )
    scope = scope_metrics(inside, outside)
    truth = np.r_[np.zeros(80), np.ones(30)]
    assert scope["scope.auroc"].value == pytest.approx(roc_auc_score(truth, np.r_[inside, outside]))
    assert scope["scope.recall@95"].value == pytest.approx(
        recall(np.ones(80, dtype=np.bool_), inside, outside)
    )


def test_a_thousand_draws_of_three_thousand_rows_take_well_under_a_second() -> None:
    of = outcome(3_000, 77, 0.9)
    begun = time.process_time()
    label_metrics("intent", of)
    assert time.process_time() - begun < 2  # about 0.3; the rest is room for a busy machine


def test_worse_means_beyond_the_others_interval() -> None:
    live = Metric(0.9, 0.88, 0.92, 100)
    assert not Metric(0.885, 0.8, 0.9, 100).worse_than(live)
    assert Metric(0.87, 0.8, 0.9, 100).worse_than(live)
    slow = Metric(12.0, 11.0, 13.0, 100, "lower")
    assert Metric(14.0, 13.5, 14.5, 100, "lower").worse_than(slow)
    assert not Metric(1.0, 0.5, 1.5, 100, "lower").worse_than(slow)


def test_only_figures_of_the_same_rows_compare() -> None:
    rows = [("my card", "card_lost"), ("转账", "transfer")]
    assert rows_hash(rows) == rows_hash(reversed(rows)) != rows_hash(rows[:1])
    parts = [
        Evaluation({}, {"tests": {family: rows_hash(rows)}, family: {}}) for family in ("intent", "retrieval")
    ]
    whole = joined(parts)
    assert set(whole.tests) == {"intent", "retrieval"}
    assert whole.same_test(parts[0], "intent.accuracy.zh")
    assert not whole.same_test(parts[0], "retrieval.mrr")
    assert whole.same_test(parts[0], "latency.ms")


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        "[]",
        '{"metrics": {}}',
        '{"metrics": {"a": {"value": 1, "low": 2, "high": 3, "n": 1, "better": "higher"}}, "details": {}}',
        '{"metrics": {"a": {"value": NaN, "low": 0, "high": 1, "n": 1, "better": "higher"}}, "details": {}}',
        '{"metrics": {"a": {"value": 1, "low": 0, "high": 1, "n": 1, "better": "sideways"}}, "details": {}}',
    ],
)
def test_what_is_no_evaluation_is_said(tmp_path: Path, body: str) -> None:
    path = tmp_path / "evaluation.json"
    path.write_text(body, encoding="utf-8")
    with pytest.raises(EvaluationError, match="is no evaluation"):
        read_evaluation(path)
    with pytest.raises(EvaluationError, match="cannot be read"):
        read_evaluation(tmp_path / "none.json")


def test_a_figure_that_is_no_number_is_never_written(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_evaluation(path, Evaluation({"a": Metric(float("nan"), 0, 1, 1)}))
    assert not path.exists()


def test_size_is_what_is_served(tmp_path: Path) -> None:
    (tmp_path / "encoder.onnx").write_bytes(b"0" * 1_500_000)
    found = size_metrics([tmp_path / "encoder.onnx"], parameters=7)
    assert (found["size.mb"].value, found["size.mb"].better) == (1.5, "lower")
    assert json.dumps(found["size.parameters"].value) == "7.0"
