"""The gate on any two evaluations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from training.evaluation import Evaluation, Metric, from_json, to_json
from training.gate import REFUSED, Verdict, compare

NAMES = ("intent.accuracy", "intent.macro_f1.zh", "intent.ece", "retrieval.mrr", "latency.ms", "size.mb")
LOWER = ("intent.ece", "latency.ms", "size.mb")
numbers = st.floats(-1e6, 1e6, width=32)


@st.composite
def metrics(draw: st.DrawFn, name: str) -> Metric:
    low, value, high = sorted(draw(st.tuples(numbers, numbers, numbers)))
    return Metric(value, low, high, draw(st.integers(1, 9999)), "lower" if name in LOWER else "higher")


@st.composite
def evaluations(draw: st.DrawFn) -> Evaluation:
    names = draw(st.permutations(NAMES))[: draw(st.integers(1, len(NAMES)))]
    tests = draw(st.dictionaries(st.sampled_from(["intent", "retrieval"]), st.sampled_from("ab")))
    return Evaluation({name: draw(metrics(name)) for name in names}, {"tests": tests})


def verdict(new: Evaluation, old: Evaluation) -> Verdict:
    return Verdict("new", "old", compare(new, old))


def states(new: Evaluation, old: Evaluation) -> dict[str, str]:
    return {line.metric: line.state for line in compare(new, old)}


@given(evaluations())
def test_what_is_no_different_passes(one: Evaluation) -> None:
    positive = {n: m for n, m in one.metrics.items() if n not in ("latency.ms", "size.mb") or m.value >= 0}
    one = replace(one, metrics=positive)
    assert verdict(one, one).passed == bool(positive)
    assert set(states(one, one).values()) <= {"same"}


@given(evaluations(), evaluations())
def test_each_metric_has_one_line_and_one_reason_is_enough(new: Evaluation, old: Evaluation) -> None:
    found = verdict(new, old)
    assert sorted(line.metric for line in found.lines) == sorted({*new.metrics, *old.metrics})
    refused = [line for line in found.lines if line.state in REFUSED]
    compared = [line for line in found.lines if line.worst is not None]
    assert found.passed == (bool(compared) and not refused)
    assert bool(found.reasons) == (not found.passed)
    assert {name for name, state in states(new, old).items() if state == "missing"} == {*old.metrics} - {
        *new.metrics
    }


@given(evaluations(), evaluations(), st.data())
def test_a_better_value_is_never_what_fails(new: Evaluation, old: Evaluation, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(new.metrics)))
    gain = data.draw(st.floats(0, 1e6)) * (-1 if name in LOWER else 1)
    mine = new.metrics[name]
    better = replace(mine, value=mine.value + gain, low=-1e9, high=1e9)
    improved = replace(new, metrics={**new.metrics, name: better})
    if verdict(new, old).passed:
        assert verdict(improved, old).passed
    rank = {"worse": 0, "same": 1, "better": 2}
    before, after = states(new, old)[name], states(improved, old)[name]
    if before in rank:
        assert rank[after] >= rank[before]


@given(evaluations(), evaluations())
def test_a_metric_fails_where_it_lies_beyond_the_interval_and_only_there(
    new: Evaluation, old: Evaluation
) -> None:
    for line in compare(new, old):
        if line.live is None or line.candidate is None or line.metric in ("latency.ms", "size.mb"):
            continue
        if new.same_test(old, line.metric):
            assert (line.state == "worse") == line.candidate.worse_than(line.live)
        else:
            assert line.state == "other_rows"


@given(evaluations(), evaluations())
def test_a_journey_through_json_changes_no_verdict(new: Evaluation, old: Evaluation) -> None:
    told: Any = [from_json(to_json(one)) for one in (new, old)]
    assert verdict(*told) == verdict(new, old)
