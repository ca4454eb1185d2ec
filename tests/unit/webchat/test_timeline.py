from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.port import Frame, Message, Role
from connectors.webchat.timeline import Timeline

AT = datetime(2026, 1, 1, tzinfo=UTC)
READ = Frame("read", "c", seq=1)


def message(seq: int, *, role: Role = "bot", turn: str | None = None, attempt: int = 1) -> Message:
    return Message(seq, role, "text", AT, turn=turn, attempt=attempt)


def delta(attempt: int = 1, *, turn: str = "t") -> Frame:
    return Frame("delta", "c", turn=turn, attempt=attempt, text="x")


def withdraw(attempt: int = 1) -> Frame:
    return Frame("withdraw", "c", turn="t", attempt=attempt)


def final(seq: int, *, turn: str = "t", attempt: int = 1) -> Frame:
    return Frame("final", "c", seq=seq, message=message(seq, turn=turn, attempt=attempt))


@pytest.mark.parametrize(
    "opening",
    [READ, Frame("typing", "c"), Frame("withdraw", "c", turn="t", attempt=0), final(1, turn="before")],
)
def test_deltas_pass_once_a_beginning_was_seen(opening: Frame) -> None:
    timeline = Timeline()
    assert not timeline.admits(delta())
    timeline.admits(opening)
    assert timeline.admits(delta())


@pytest.mark.parametrize(
    "other", [Frame("typing", "c", on=False), Frame("status", "c"), Frame("feedback", "c")]
)
def test_what_begins_no_turn_lets_no_delta_through(other: Frame) -> None:
    timeline = Timeline()
    assert timeline.admits(other)
    assert not timeline.admits(delta())


def test_a_customers_message_begins_and_ends_no_turn() -> None:
    timeline = Timeline()
    assert timeline.admits_message(message(1, role="customer", turn="t"))
    assert not timeline.admits(delta())
    timeline.admits(READ)
    assert timeline.admits(delta())


def test_nothing_provisional_follows_the_final_of_its_turn() -> None:
    timeline = Timeline()
    timeline.admits(READ)
    assert timeline.admits(final(1, attempt=2))
    assert not timeline.admits(delta(1))
    assert not timeline.admits(delta(2))
    assert not timeline.admits(withdraw(1))
    assert timeline.admits(delta(1, turn="next"))


def test_only_what_was_shown_is_withdrawn_and_once() -> None:
    timeline = Timeline()
    assert not timeline.admits(withdraw())
    assert timeline.admits(delta())
    assert timeline.admits(withdraw())
    assert not timeline.admits(withdraw())


def test_an_interruption_takes_back_what_is_provisional() -> None:
    timeline = Timeline()
    for frame in (
        Frame("typing", "c"),
        delta(turn="a"),
        delta(turn="b"),
        delta(2, turn="b"),
        final(1, turn="a"),
    ):
        timeline.admits(frame)
    taken = list(timeline.interrupted("c"))
    assert [(frame.kind, frame.turn, frame.attempt) for frame in taken] == [
        ("withdraw", "b", 1),
        ("withdraw", "b", 2),
        ("typing", "", 0),
    ]
    assert not taken[-1].on
    assert not timeline.admits(delta(3, turn="b"))
    assert list(timeline.interrupted("c")) == []


def test_memory_of_turns_is_bounded() -> None:
    timeline = Timeline()
    for seq in range(1, 1_000):
        assert timeline.admits(final(seq, turn=f"t{seq}"))
    assert len(timeline._done) <= 8
    assert not timeline.admits(delta(turn="t999"))
