"""The breaker against what it promises, whatever happens in whatever order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.errors import GeneratorError
from bot.inference.breaker import FAILURES, MOST_REST_S, Breaker
from bot.inference.gate import Gate
from bot.inference.upstream import LONGEST_REST_S, rest_asked

events = st.lists(
    st.one_of(
        st.just(("admit", 0.0)),
        st.tuples(st.sampled_from(["succeeded", "failed", "released"]), st.floats(0, 1)),
        st.tuples(st.just("wait"), st.floats(0, 30)),
    ),
    max_size=80,
)
NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


@given(events)
def test_open_means_nobody_or_one(script: Sequence[tuple[str, float]]) -> None:
    """While it rests nobody is let in, afterwards one at a time; it closes by a success of that one alone."""
    clock, told = [0.0], list[bool]()
    breaker = Breaker(lambda: clock[0], told.append)
    out: list[tuple[int, bool]] = []  # (ticket, whether it was open when let in)
    for what, amount in script:
        was_open = breaker.is_open
        if what == "wait":
            clock[0] += amount
        elif what == "admit":
            ticket = breaker.admit()
            assert ticket is not None or was_open, "closed: everybody is let in"
            if ticket is not None:
                out.append((ticket, was_open))
        elif out:
            ticket, trial = out.pop(int(amount * (len(out) - 1)))
            getattr(breaker, what)(ticket)
            if was_open and not breaker.is_open:
                assert (what, trial) == ("succeeded", True)
            if not was_open and breaker.is_open:
                assert what == "failed"
        assert told == [bool(n % 2 == 0) for n in range(len(told))], "told in turns"
        assert breaker.is_open == (bool(told) and told[-1])
    # However it was: left in peace long enough it lets somebody in, unless a trial is still out.
    clock[0] += MOST_REST_S
    if not any(trial for _, trial in out):
        assert breaker.admit() is not None


def test_failures_in_a_row_open_it_and_a_success_between_them_does_not() -> None:
    breaker = Breaker(lambda: 0.0)
    for _ in range(3):
        for _ in range(FAILURES - 1):
            breaker.failed(breaker.admit() or 0)
        breaker.succeeded(breaker.admit() or 0)
    tickets = [breaker.admit() for _ in range(FAILURES)]
    assert None not in tickets, "closed all the while"
    for ticket in tickets:
        breaker.failed(ticket or 0)
    assert breaker.admit() is None
    assert breaker.is_open


@given(st.floats(0.1, LONGEST_REST_S))
def test_a_rest_that_was_asked_for_lasts_that_long(seconds: float) -> None:
    clock = [0.0]
    breaker = Breaker(lambda: clock[0])
    breaker.failed(breaker.admit() or 0, rest_s=seconds)
    clock[0] = seconds * 0.99
    assert breaker.admit() is None
    clock[0] = seconds
    assert breaker.admit() is not None


@given(st.one_of(st.text(), st.floats().map(str), st.integers().map(str)))
def test_whatever_stands_in_retry_after_is_a_bounded_rest_or_none(text: str) -> None:
    rest = rest_asked(text, now=NOW)
    assert rest is None or 0 < rest <= LONGEST_REST_S


def test_retry_after_as_seconds_and_as_a_date() -> None:
    assert rest_asked("7", now=NOW) == 7
    assert rest_asked(format_datetime(NOW + timedelta(seconds=9), usegmt=True), now=NOW) == 9
    assert rest_asked(format_datetime(NOW - timedelta(seconds=9), usegmt=True), now=NOW) is None


@given(st.integers(1, 4), st.integers(0, 4), st.lists(st.integers(0, 3), max_size=20))
def test_a_gate_never_lets_in_more_and_refuses_only_what_may_not_wait(
    in_flight: int, waiting: int, steps: Sequence[int]
) -> None:
    asyncio.run(_crowd(in_flight, waiting, steps))


async def _crowd(in_flight: int, waiting: int, steps: Sequence[int]) -> None:
    gate, inside, most, refused = Gate(in_flight, waiting), 0, 0, 0

    async def come(stay: int) -> None:
        nonlocal inside, most, refused
        try:
            async with gate.place(patience=60):
                inside += 1
                most = max(most, inside)
                for _ in range(stay):
                    await asyncio.sleep(0)
                inside -= 1
        except GeneratorError:
            refused += 1

    await asyncio.gather(*map(come, steps))
    assert most <= in_flight
    assert inside == 0
    if len(steps) <= in_flight + waiting:
        assert not refused
    async with gate.place(patience=60):
        pass  # all places were given back
