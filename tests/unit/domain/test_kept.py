"""A test that may be looked at after every answer: it seldom accuses a promise that is kept, and finds a broken one."""

from __future__ import annotations

import random
from math import comb, isinf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.kept import slipped, stake

PROMISES = st.sampled_from((0.001, 0.01, 0.03, 0.1, 0.5))


@given(st.integers(0, 60), PROMISES, st.floats(0, 1))
def test_nobody_gets_rich_while_the_promise_is_kept(answers: int, promised: float, share: float) -> None:
    """The mean stake over all that can come of so many answers: 1 where just so many are wrong, else less."""
    chance = promised * share
    mean = 0.0
    for wrong in range(answers + 1):
        likely = comb(answers, wrong) * chance**wrong * (1 - chance) ** (answers - wrong)
        mean += likely * stake(wrong, answers, promised=promised)
    assert mean <= 1 + 1e-6


@given(st.integers(0, 5000), st.integers(0, 5000), PROMISES)
def test_each_wrong_answer_raises_the_stake_and_each_right_one_lowers_it(
    wrong: int, right: int, promised: float
) -> None:
    now = stake(wrong, wrong + right, promised=promised)
    if isinf(now) or now < 1e-280:
        return
    assert stake(wrong + 1, wrong + right + 1, promised=promised) > now
    assert stake(wrong, wrong + right + 1, promised=promised) < now


def test_whoever_looks_after_each_answer_accuses_a_kept_promise_seldom() -> None:
    chance, accused = random.Random(0), 0
    for _ in range(400):
        wrong = 0
        for answered in range(1, 601):
            wrong += chance.random() < 0.05
            if slipped(wrong, answered, promised=0.05, sure=0.9):
                accused += 1
                break
    assert accused <= 40


@pytest.mark.parametrize(("share", "within"), [(0.06, 1500), (0.12, 250), (0.5, 25)])
def test_a_broken_promise_is_found_the_sooner_the_more_it_is_broken(share: float, within: int) -> None:
    chance, found = random.Random(1), 0
    for _ in range(40):
        wrong = 0
        for answered in range(1, within + 1):
            wrong += chance.random() < share
            if slipped(wrong, answered, promised=0.03, sure=0.99):
                found += 1
                break
    assert found >= 36


def test_numbers_beyond_a_float_are_still_told_apart() -> None:
    assert stake(100_000, 100_000, promised=0.03) == float("inf")
    assert stake(0, 10_000_000, promised=0.03) == 0
    assert not slipped(0, 10_000_000, promised=0.03, sure=0.99)
