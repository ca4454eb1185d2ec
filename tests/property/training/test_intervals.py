"""Whatever was measured: an interval holds its figure, stays in its range, and comes out the same again."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from training.evaluation import Evaluation, Metric, from_json, read_evaluation, to_json, write_evaluation
from training.measures import (
    Metrics,
    Outcome,
    label_metrics,
    latency_metrics,
    rank_metrics,
    scope_metrics,
    share_metrics,
)

LABELS = st.sampled_from(["a", "b", "挂失", "d e"])
SHARE = st.floats(0, 1, width=32)
LANG = st.sampled_from(["zh", "en", "other"])
ROW = st.tuples(LABELS, LABELS, SHARE, LANG, st.sampled_from(["c1", "c2", "c3"]))
FEW = settings(max_examples=40, deadline=None)


def holds(metrics: Metrics) -> None:
    for name, one in metrics.items():
        assert one.low <= one.value <= one.high, name
        if not name.startswith("latency"):
            assert one.low >= -1e-9, name
            assert one.high <= 1 + 1e-9, name
        assert one.n > 0


@FEW
@given(st.lists(ROW, min_size=1, max_size=30), st.booleans())
def test_of_labels(rows: list[tuple[str, str, float, str, str]], grouped: bool) -> None:
    truth, named, sure, langs, groups = (list(column) for column in zip(*rows, strict=True))
    outcome = Outcome(np.array(truth), np.array(named), np.array(sure, dtype=np.float32))
    found = label_metrics("intent", outcome, langs=langs, groups=groups if grouped else None)
    holds(found)
    assert found == label_metrics("intent", outcome, langs=langs, groups=groups if grouped else None)
    assert math.isclose(found["intent.accuracy"].value, outcome.right.mean())
    several = len(set(langs)) > 1
    assert {f"intent.accuracy.{lang}" in found for lang in langs} == {several}


@FEW
@given(st.lists(st.tuples(st.none() | st.integers(1, 200), LANG), min_size=1, max_size=30))
def test_of_rankings(rows: list[tuple[int | None, str]]) -> None:
    found = rank_metrics("retrieval", [place for place, _ in rows], langs=[lang for _, lang in rows])
    holds(found)
    recalls = [found[f"retrieval.recall@{k}"].value for k in (1, 5, 10)]
    assert recalls == sorted(recalls)
    assert recalls[0] <= found["retrieval.mrr"].value + 1e-12


@FEW
@given(st.lists(SHARE, max_size=20), st.lists(SHARE, max_size=20))
def test_of_scope(inside: list[float], outside: list[float]) -> None:
    found = scope_metrics(np.array(inside, dtype=np.float32), np.array(outside, dtype=np.float32))
    assert bool(found) == bool(inside and outside)
    holds(found)


@FEW
@given(st.lists(st.floats(0.01, 1e5), min_size=1, max_size=40), st.lists(st.booleans(), max_size=20))
def test_of_times_and_shares(times: list[float], right: list[bool]) -> None:
    found = latency_metrics(times)
    holds(found)
    assert min(times) <= found["latency.ms"].low
    assert found["latency.ms_p95"].high <= max(times)
    holds(share_metrics("answers", "right", right))


FINITE = st.floats(-1e6, 1e6)
METRIC = st.builds(
    lambda ends, n, better: Metric(ends[1], ends[0], ends[2], n, better),
    st.tuples(FINITE, FINITE, FINITE).map(sorted),
    st.integers(1, 10**6),
    st.sampled_from(["higher", "lower"]),
)


@FEW
@given(st.dictionaries(st.text(max_size=20), METRIC, max_size=5))
def test_an_evaluation_comes_back_as_it_was(metrics: dict[str, Metric]) -> None:
    whole = Evaluation(metrics, {"tests": {"intent": "0" * 64}, "labels": [{"label": "挂失<b>"}]})
    assert from_json(to_json(whole)) == whole


def test_an_evaluation_is_a_file(tmp_path: Path) -> None:
    whole = Evaluation({"intent.accuracy": Metric(0.5, 0.25, 0.75, 4)}, {"tests": {"intent": "ab"}})
    write_evaluation(tmp_path / "evaluation.json", whole)
    assert read_evaluation(tmp_path / "evaluation.json") == whole
