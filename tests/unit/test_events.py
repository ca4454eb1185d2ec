"""The bus of one process: in order, bounded, and pieces that wait become one."""

from __future__ import annotations

import asyncio

from bot.events import LocalBus
from connectors.port import Frame


def delta(text: str, *, turn: str = "t", attempt: int = 1) -> Frame:
    return Frame("delta", "c", turn=turn, attempt=attempt, text=text)


async def test_pieces_that_wait_behind_one_another_become_one_and_nothing_else_does() -> None:
    bus = LocalBus()
    async with bus.subscribe("c") as frames:
        for frame in (
            *(Frame("read", "c", seq=1), Frame("typing", "c"), delta("one "), delta("two")),
            *(delta("again", attempt=2), delta(" and on", attempt=2), Frame("typing", "c", on=False)),
            delta("new", turn="u"),
        ):
            bus.publish(frame)
        seen = [await anext(frames) for _ in range(6)]
    assert [(f.kind, f.text, f.attempt) for f in seen if f.kind == "delta"] == [
        ("delta", "one two", 1),
        ("delta", "again and on", 2),
        ("delta", "new", 1),
    ]
    assert [f.kind for f in seen] == ["read", "typing", "delta", "delta", "typing", "delta"]


async def test_a_piece_that_was_taken_is_not_said_again() -> None:
    bus = LocalBus()
    async with bus.subscribe("c") as frames:
        bus.publish(delta("one "))
        assert (await anext(frames)).text == "one "
        waiting = asyncio.ensure_future(anext(frames))
        await asyncio.sleep(0)
        bus.publish(delta("two"))
        assert (await waiting).text == "two"


async def test_who_falls_behind_gets_what_was_kept_and_is_then_ended() -> None:
    bus = LocalBus(max_behind=2)
    async with bus.subscribe("c") as frames, bus.subscribe("c") as other:
        for seq in range(4):
            bus.publish(Frame("read", "c", seq=seq))
            assert (await anext(other)).seq == seq
        assert [frame.seq async for frame in frames] == [0, 1]
