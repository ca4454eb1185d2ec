"""What the gate lets through, and what it says of each metric."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.training.shelf import add, draft, evaluation, figure
from training.evaluation import Evaluation, Metric
from training.gate import compare, judge
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
