"""How fast messages are answered is measured while every customer is at it."""

from __future__ import annotations

import pytest

from bench._load import rate


def test_neither_the_beginning_nor_the_end_counts() -> None:
    slow_start = [0.0, 1.0, 2.0, 3.0]
    steady = [3.0 + 0.1 * n for n in range(1, 31)]
    slow_end = [steady[-1] + n for n in range(1, 4)]
    assert rate([*slow_start, *steady, *slow_end], 4, until=steady[-1]) == pytest.approx(10.0)


@pytest.mark.parametrize("answered", [[], [1.0], [1.0, 2.0, 3.0]])
def test_too_few_have_no_rate(answered: list[float]) -> None:
    assert rate(answered, 3, until=9.0) == 0.0
