"""Curves of selective answering, held against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.selective import CURVE, calibration_error, reliability, risk_coverage

rows = st.lists(st.tuples(st.sampled_from((0.1, 0.2, 0.5, 0.9, 1.0)), st.booleans()), min_size=1, max_size=60)


@given(rows)
def test_risk_at_each_coverage(found: list[tuple[float, bool]]) -> None:
    """Texts of one confidence are answered together, so their risk is that of all of them."""
    sure, right = (np.array(column) for column in zip(*found, strict=True))
    curve = risk_coverage(sure.astype(np.float32), right)
    for place, confidence in enumerate(sorted(sure, reverse=True)):
        assert curve.risk[place] == pytest.approx((~right[sure >= confidence]).mean())
    assert curve.coverage[-1] == 1
    assert curve.risk[-1] == pytest.approx((~right).mean())


@given(rows)
def test_every_text_is_in_one_group(found: list[tuple[float, bool]]) -> None:
    sure, right = (np.array(column) for column in zip(*found, strict=True))
    groups = reliability(sure.astype(np.float32), right, groups=7)
    assert sum(group.texts for group in groups) == len(found)
    assert max(g.texts for g in groups) - min(g.texts for g in groups) <= 1
    assert [g.confidence for g in groups] == sorted(g.confidence for g in groups)
    assert sum(g.texts * g.right for g in groups) == pytest.approx(right.sum())


def test_a_perfect_order_has_the_least_area() -> None:
    sure = np.linspace(1, 0, 10, dtype=np.float32)
    best = risk_coverage(sure, np.arange(10) < 8)
    worst = risk_coverage(sure, np.arange(10) >= 2)
    assert best.area == pytest.approx((1 / 9 + 2 / 10) / 10)
    assert best.area < worst.area


def test_of_nothing_there_is_no_curve() -> None:
    none = np.zeros(0, np.float32), np.zeros(0, np.bool_)
    assert risk_coverage(*none).points() == []
    assert risk_coverage(*none).area == 0
    assert calibration_error(reliability(*none)) == 0


def test_a_long_curve_has_few_points_and_both_ends() -> None:
    rng = np.random.default_rng(0)
    points = risk_coverage(rng.random(5000).astype(np.float32), rng.random(5000) < 0.9).points()
    assert len(points) == CURVE
    assert points[0][0] == pytest.approx(1 / 5000)
    assert points[-1][0] == 1


def test_confidence_that_means_what_it_says_has_a_small_error() -> None:
    rng = np.random.default_rng(0)
    sure = rng.random(20_000).astype(np.float32)
    assert calibration_error(reliability(sure, rng.random(20_000) < sure)) < 0.015
    assert calibration_error(reliability(sure, rng.random(20_000) < sure**3)) > 0.15
