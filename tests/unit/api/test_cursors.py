"""A cursor comes back as it went out; whatever else a client sends is refused in one way."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.api.cursors import pack, page, unpack, unpack_moment, unpack_number
from bot.api.errors import RequestError
from bot.api.shapes import Paging, Shown


class Item(Shown):
    id: str


PRINTABLE = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=40)


@given(st.lists(PRINTABLE, min_size=1, max_size=3))
def test_what_went_out_comes_back(parts: list[str]) -> None:
    assert unpack(Paging.model_construct(after=pack(*parts)), len(parts)) == parts


@given(st.datetimes(timezones=st.just(UTC)), PRINTABLE)
def test_a_moment_comes_back_to_the_microsecond(at: datetime, id: str) -> None:
    assert unpack_moment(Paging.model_construct(after=pack(at.isoformat(), id))) == (at, id)


@given(st.text(max_size=80) | st.lists(st.text(), max_size=3).map(lambda parts: pack(*parts)))
@example("A" * 401)
@example(pack("9999-12-31T23:59:59-23:00", "x"))
@example(pack("0001-01-01T00:00:00+23:00", "x"))
def test_anything_is_a_place_or_refused(after: str) -> None:
    paging = Paging.model_construct(after=after)
    for read in (unpack_moment, unpack_number):
        with suppress(RequestError):
            read(paging)


@pytest.mark.parametrize(
    "after", ["", "x", "é", pack(), pack("a", "b", "c"), pack("today", "x"), pack("\0", "x")]
)
def test_what_no_page_said_is_refused(after: str) -> None:
    with pytest.raises(RequestError) as refusal:
        unpack_moment(Paging(after=after))
    assert (refusal.value.status, refusal.value.code) == (422, "bad_cursor")


@pytest.mark.parametrize(("count", "more"), [(0, False), (2, False), (3, True)])
def test_a_page_says_whether_there_is_more(count: int, more: bool) -> None:
    items = [Item(id=str(number)) for number in range(count)]
    shown = page(items, 2, lambda item: [item.id])
    assert len(shown.data) == min(count, 2)
    assert (shown.next is not None) == more
    assert unpack(Paging(after=shown.next), 1) == (["1"] if more else None)
