"""What the gate lets through, and what it says of each metric."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.unit.training.shelf import add, draft, evaluation, figure
from training.evaluation import Evaluation, Metric
from training.gate import Pair, Verdict, compare, judge
from training.measures import Outcome, label_metrics, rank_metrics, scope_metrics, share_metrics
from training.release import Release

NAMES = ("new", "old")


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Release, Release]:
    """(candidate, live), judged alike on the same rows."""
    return add(tmp_path, draft(accuracy=0.9), hours=1), add(tmp_path, draft(accuracy=0.9))


def said(new: Evaluation, old: Evaluation) -> dict[str, str]:
    return {line.metric: line.state for line in compare(new, old)}


def test_within_the_live_releases_interval_all_is_well(pair: tuple[Release, Release]) -> None:
    new, old = pair
    verdict = judge(replace(new, evaluation=evaluation(0.8901)), old, names=NAMES)
    assert (verdict.passed, verdict.reasons) == (True, [])
    assert [line.state for line in verdict.lines] == ["same", "same"]


def test_beyond_it_the_metric_and_the_limit_are_named(pair: tuple[Release, Release]) -> None:
    new, old = pair
    verdict = judge(replace(new, evaluation=evaluation(0.8899)), old, names=NAMES)
    assert not verdict.passed
    assert verdict.reasons == ["intent.accuracy: 0.8899 (live: 0.9); at least 0.89 is let through"]


def test_lower_may_be_better() -> None:
    old = evaluation(more={"intent.ece": figure(0.05, better="lower")})
    for value, state in ((0.0601, "worse"), (0.0599, "same"), (0.0399, "better")):
        new = evaluation(more={"intent.ece": figure(value, better="lower")})
        assert said(new, old)["intent.ece"] == state


@pytest.mark.parametrize(
    ("metric", "live", "allowed"),
    [("latency.ms", 8.0, 11.0), ("latency.ms_p95", 20.0, 26.0), ("size.mb", 450.0, 685.0)],
)
def test_time_and_size_have_limits_of_their_own(metric: str, live: float, allowed: float) -> None:
    old = evaluation(more={metric: figure(live, half=0, better="lower")})
    for value, state in ((allowed + 0.1, "worse"), (allowed - 0.1, "same"), (live - 1, "better")):
        new = evaluation(more={metric: figure(value, half=0, better="lower")})
        assert said(new, old)[metric] == state


def test_what_the_candidate_lacks_refuses_and_what_it_adds_is_said(pair: tuple[Release, Release]) -> None:
    new, old = pair
    more = {"sentiment.accuracy": figure(0.7)}
    lacking = judge(new, replace(old, evaluation=evaluation(more=more)), names=NAMES)
    assert lacking.reasons == ["sentiment.accuracy: the candidate was not measured by it (live: 0.7)"]
    adding = judge(replace(new, evaluation=evaluation(more=more)), old, names=NAMES)
    assert adding.passed
    assert str(adding.lines[-1]) == "sentiment.accuracy: 0.7, and the live release was not measured by it"


def test_figures_of_other_rows_do_not_compare(pair: tuple[Release, Release]) -> None:
    new, old = pair
    verdict = judge(replace(new, evaluation=evaluation(0.99, test="t2")), old, names=NAMES)
    assert verdict.reasons == [
        "intent.accuracy: measured on other test rows than the live release",
        "retrieval.recall@1: measured on other test rows than the live release",
    ]


def test_figures_that_the_candidate_brought_of_the_live_release_come_first(
    pair: tuple[Release, Release],
) -> None:
    new, old = pair
    brought = {"old": evaluation(0.85, test="t2"), "base": evaluation(0.7, test="t2")}
    new = replace(new, evaluation=evaluation(0.86, test="t2"), baselines=brought)
    verdict = judge(new, old, names=NAMES)
    assert verdict.passed
    assert verdict.lines[0].live == figure(0.85)
    assert judge(new, None, names=("new", "base")).passed


def test_back_to_base_is_judged_by_what_the_live_release_knows_of_it(pair: tuple[Release, Release]) -> None:
    _, old = pair
    old = replace(old, baselines={"base": evaluation(0.7)})
    verdict = judge(None, old, names=("base", "old"))
    assert [line.state for line in verdict.lines] == ["worse", "same"]


def test_nothing_to_compare_with_is_no_pass(pair: tuple[Release, Release]) -> None:
    new, old = pair
    reasons = ["there are no figures of base to compare with"]
    assert judge(new, None, names=("new", "base")).reasons == reasons
    empty = replace(new, baselines={"base": Evaluation({})})
    assert judge(empty, None, names=("new", "base")).reasons == reasons
    assert not judge(None, None, names=("base", "base")).passed
    assert not judge(replace(new, evaluation=Evaluation({})), old, names=NAMES).passed


def answered(right: str, *, lang: str = "en") -> Evaluation:
    """A question for each letter; those with a + were answered rightly."""
    rows = [{"id": str(n), "right": one == "+", "lang": lang} for n, one in enumerate(right)]
    metrics = share_metrics("answers", "right", [one == "+" for one in right])
    return Evaluation(metrics, {"answers": {"rows": rows}, "tests": {"answers": "t"}})


@pytest.mark.parametrize(
    ("live", "new", "state"),
    [
        (45 * "+" + 7 * "-", 43 * "+" + 9 * "-", "same"),  # 2 lost: p = .5
        (45 * "+" + 7 * "-", 40 * "+" + 12 * "-", "same"),  # 5 lost: p = .06
        (45 * "+" + 7 * "-", 39 * "+" + 13 * "-", "worse"),  # 6 lost: p = .03, and within the interval
        (45 * "+" + 7 * "-", 10 * "-" + 42 * "+", "same"),  # 10 lost, 7 won: p = .6
        ("++", "+-", "same"),
        (12 * "+", 10 * "+" + "--", "same"),
        (12 * "+", 6 * "+" + 6 * "-", "worse"),
        ("---", "+++", "better"),
    ],
)
def test_questions_that_both_answered_are_compared_one_by_one(live: str, new: str, state: str) -> None:
    (line,) = compare(answered(new), answered(live))
    assert line.state == state
    told = Verdict("new", "old", (line,)).to_json()["lines"][0]
    assert told["lost"] - told["won"] == live.count("+") - new.count("+")


@pytest.mark.parametrize(
    ("won", "lost", "chance"),
    [(0, 0, 1.0), (0, 5, 0.0625), (1, 7, 0.0703), (7, 10, 0.6291), (60, 40, 0.0569), (5, 5, 1.0)],
)
def test_the_exact_test_is_that_of_a_fair_coin(won: int, lost: int, chance: float) -> None:
    """As scipy's `binomtest` has it."""
    assert Pair(won, lost).chance == pytest.approx(chance, abs=1e-4)


def test_a_loss_that_chance_does_not_explain_is_said_with_its_counts() -> None:
    verdict = Verdict("new", "old", compare(answered(39 * "+" + 13 * "-"), answered(45 * "+" + 7 * "-")))
    assert verdict.reasons == [
        "answers.right: 0.75 (live: 0.8654), 6 lost, 0 won: that is more than chance explains (p = 0.031); else at "
        "least 0.7473 is let through"
    ]


@pytest.mark.parametrize("rows", [3, 12])
def test_of_few_rows_no_metric_refuses_for_nothing(rows: int) -> None:
    """A live release that got everything right on few rows says little of what it would get right."""
    names = np.array([f"label {n % 3}" for n in range(rows)])
    sure = np.full(rows, 0.99, dtype=np.float32)
    inside, outside = np.zeros(rows, dtype=np.float32), np.ones(rows, dtype=np.float32)
    perfect = label_metrics("intent", Outcome(names, names, sure))
    perfect |= rank_metrics("retrieval", [1] * rows) | scope_metrics(inside, outside)
    named = np.array([*names[:-1], "label 1"])
    one_off = label_metrics("intent", Outcome(names, named, np.full(rows, 0.7, dtype=np.float32)))
    one_off |= rank_metrics("retrieval", [*([1] * (rows - 1)), 2]) | scope_metrics(inside, outside)
    states = said(Evaluation(one_off), Evaluation(perfect))
    assert "worse" not in states.values()
    assert all(metric.low < metric.high for metric in perfect.values())


def test_the_verdict_as_a_row_of_history(pair: tuple[Release, Release]) -> None:
    new, old = pair
    assert judge(new, old, names=NAMES).to_json() == {
        "passed": True,
        "candidate": "new",
        "live": "old",
        "lines": [
            {"metric": "intent.accuracy", "state": "same", "live": 0.9, "candidate": 0.9, "worst": 0.89},
            {"metric": "retrieval.recall@1", "state": "same", "live": 0.8, "candidate": 0.8, "worst": 0.79},
        ],
    }


def test_one_side_that_counts_the_other_way_round_does_not_compare() -> None:
    new = Evaluation({"a.b": Metric(1, 1, 1, 1, "lower")})
    assert said(new, Evaluation({"a.b": Metric(1, 1, 1, 1, "higher")})) == {"a.b": "other_rows"}
