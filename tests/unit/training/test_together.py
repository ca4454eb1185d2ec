"""Parts of a training side by side: in order, whole, and what one raises is raised."""

from __future__ import annotations

from threading import Barrier

import pytest

from training.together import together


def test_they_run_side_by_side_and_come_in_order() -> None:
    both = Barrier(2, timeout=30)

    def work(item: int) -> int:
        both.wait()  # alone none would get on
        return item * 2

    assert list(together(work, range(4), threads=2)) == [0, 2, 4, 6]


def test_on_one_thread_they_follow_one_another() -> None:
    seen: list[int] = []
    assert list(together(seen.append, range(3), threads=1)) == [None] * 3
    assert seen == [0, 1, 2]


def test_what_one_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        list(together(lambda item: 1 // item, [1, 0], threads=2))
