"""What the server asks of Python itself."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from bot.cli.serve import keep_for_good


class Thing:
    """Something that can be watched."""

    other: Thing | None = None


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


def test_what_is_there_is_not_walked_over_again_and_still_freed_when_given_up() -> None:
    there = Thing()
    watched = weakref.ref(there)
    keep_for_good()
    assert gc.get_freeze_count() > 0
    assert not any(found is there for found in gc.get_objects())
    del there
    assert watched() is None


def test_cycles_that_come_later_are_collected() -> None:
    gc.disable()  # as while it starts
    keep_for_good()
    assert gc.isenabled()
    one, two = Thing(), Thing()
    one.other, two.other = two, one
    watched = weakref.ref(one)
    del one, two
    gc.collect()
    assert watched() is None
