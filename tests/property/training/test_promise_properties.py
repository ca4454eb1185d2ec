"""Thresholds that keep a promise: they rise with it, never come of too few texts, and hold as often as they say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from training.apply import Floats
from training.promise import Bound, Promise
from training.thresholds import Bools, conformal_bound, learn_bound, upper_limit

confidences = st.sampled_from(np.linspace(0, 1, 9, dtype=np.float32).tolist())
shares = st.sampled_from((0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3))
NEVER = 2.0
"""Above every confidence."""


@st.composite
def judged(draw: st.DrawFn, most: int = 1500) -> tuple[Floats, Bools]:
    """Sure where it is right, by and large; with many ties, or with none."""
    seed, texts = draw(st.integers(0, 2**32 - 1)), draw(st.integers(0, most))
    rng = np.random.default_rng(seed)
    sure = rng.beta(draw(st.sampled_from((0.5, 2.0, 6.0))), 1.0, texts).astype(np.float32)
    right = rng.random(texts) < sure ** draw(st.sampled_from((0.05, 0.3, 1.0)))
    return np.round(sure, draw(st.sampled_from((1, 2, 7)))), right


def height(at: float | None) -> float:
    return NEVER if at is None else at


@given(judged(), shares, shares, st.sampled_from((0.9, 0.99)))
def test_more_may_be_answered_under_a_weaker_promise(
    texts: tuple[Floats, Bools], one: float, other: float, sure: float
) -> None:
    """A theorem for conformal bounds. Where our walks begin depends on the promise, so of promises that differ by a
    hair it is none: held here for those that people write.
    """
    low, high = sorted((one, other))
    assert height(conformal_bound(*texts, high).at) <= height(conformal_bound(*texts, low).at)
    strict, weak = (learn_bound(*texts, Promise(share, sure)) for share in (low, high))
    if strict.at is not None:
        assert weak.at is not None
        assert weak.answered >= strict.answered or low == high


@given(judged(), st.floats(0.005, 0.3), st.floats(0.8, 0.999))
def test_what_is_told_of_a_bound_is_so(texts: tuple[Floats, Bools], wrong: float, sure: float) -> None:
    confidence, right = texts
    bound = learn_bound(confidence, right, promise := Promise(wrong, sure))
    assert bound.texts == len(confidence)
    if bound.at is None:
        assert (bound.answered, bound.wrong) == (0, 0)
        return
    answered = confidence >= np.float32(bound.at)
    assert bound.answered == answered.sum() >= promise.fewest
    assert bound.wrong == (answered & ~right).sum()
    assert upper_limit(bound.wrong, bound.answered, sure=sure) <= wrong + 1e-9


@given(st.integers(0, 400), shares, st.sampled_from((0.9, 0.95, 0.99, 0.999)))
def test_too_few_texts_promise_nothing_and_are_counted(texts: int, wrong: float, sure: float) -> None:
    promise = Promise(wrong, sure)
    bound = learn_bound(np.ones(texts, np.float32), np.ones(texts, np.bool_), promise)
    assert (bound.at is None) == (texts < promise.fewest)
    assert bound.missing == max(promise.fewest - texts, 0)


def steady(texts: int, every: int) -> tuple[Floats, Bools]:
    """However sure: one in `every` is wrong."""
    return np.linspace(1, 0.5, texts, dtype=np.float32), np.arange(texts) % every != every // 2


@pytest.mark.parametrize("every", [60, 100, 200])
def test_where_mistakes_are_few_it_says_how_many_more_such_texts_would_do(every: int) -> None:
    bound = learn_bound(*steady(300, every), Promise())
    assert bound.at is None
    assert bound.missing > 0
    enough = 300 + bound.missing
    assert learn_bound(*steady(round(1.1 * enough), every), Promise()).at is not None
    assert learn_bound(*steady(enough // 3, every), Promise()).at is None


def test_where_too_many_are_wrong_no_number_of_texts_is_named() -> None:
    assert learn_bound(*steady(300, 20), Promise()) == Bound(None, 300)


def test_as_many_as_must_be_answered_without_a_mistake() -> None:
    assert Promise(0.03, 0.99).fewest == 152
    assert binom.cdf(0, 152, 0.03) <= 0.01 < binom.cdf(0, 151, 0.03)


def test_whoever_is_always_wrong_answers_nothing() -> None:
    bound = learn_bound(np.linspace(0, 1, 2000, dtype=np.float32), np.zeros(2000, np.bool_), Promise())
    assert (bound.at, bound.missing) == (None, 0)


@given(judged(most=300))
def test_the_order_of_texts_does_not_count(texts: tuple[Floats, Bools]) -> None:
    sure, right = texts
    order = np.random.default_rng(0).permutation(len(sure))
    promise = Promise(0.1, 0.9)
    assert learn_bound(sure, right, promise) == learn_bound(sure[order], right[order], promise)


CHANCES: dict[str, Callable[[Floats], Floats]] = {
    "steady": lambda s: 0.2 * (1 - s),
    "late": lambda s: np.where(s > 0.4, np.float32(0.02), np.float32(0.5)),
    "flat": lambda s: np.full_like(s, 0.051),  # the worst case: every threshold breaks it, by little
}
"""How likely an answer of each confidence is wrong."""


@pytest.mark.parametrize("curve", CHANCES)
def test_it_is_kept_as_often_as_promised(curve: str) -> None:
    """The true share of wrong answers above each threshold is known here: 600 sets of texts to judge by."""
    promise, rng, broken, answers = Promise(0.05, 0.9), np.random.default_rng(1), 0, 0
    chance, grid = CHANCES[curve], np.linspace(0, 1, 20_001, dtype=np.float32)[:-1]
    above = np.cumsum(chance(grid)[::-1], dtype=np.float64)[::-1] / np.arange(len(grid), 0, -1)
    for _ in range(600):
        sure = rng.random(700).astype(np.float32)
        at = learn_bound(sure, rng.random(700) >= chance(sure), promise).at
        if at is not None:
            answers += 1
            broken += bool(above[np.searchsorted(grid, at)] > promise.wrong)
    assert broken <= binom.ppf(0.999, 600, promise.risk)
    assert curve == "flat" or answers > 300
