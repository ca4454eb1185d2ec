"""Lanes: order within a conversation, none between conversations, no message twice."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import pytest

from bot.engine.lanes import Lanes
from bot.errors import Conflict, StoreError


async def test_messages_of_one_conversation_keep_their_order_while_others_pass() -> None:
    begun: list[tuple[str, int]] = []
    gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def turn(conversation: str, seq: int) -> None:
        begun.append((conversation, seq))
        await gates[conversation].wait()

    lanes = Lanes(turn)
    for seq in (1, 2, 3):
        lanes.put("slow", seq)
    lanes.put("quick", 1)
    gates["quick"].set()
    await asyncio.sleep(0)
    assert begun == [("slow", 1), ("quick", 1)]
    gates["slow"].set()
    await lanes.idle()
    assert begun == [("slow", 1), ("quick", 1), ("slow", 2), ("slow", 3)]
    assert lanes.busy == 0


async def test_a_message_in_its_lane_is_not_put_there_again() -> None:
    taken: list[int] = []
    gate = asyncio.Event()

    async def turn(conversation: str, seq: int) -> None:
        taken.append(seq)
        await gate.wait()

    lanes = Lanes(turn)
    lanes.put("c", 1)
    await asyncio.sleep(0)
    lanes.put("c", 1)
    lanes.put("c", 2)
    lanes.put("c", 2)
    gate.set()
    await lanes.idle()
    assert taken == [1, 2]


async def test_a_turn_that_fails_does_not_stop_its_lane(caplog: pytest.LogCaptureFixture) -> None:
    taken: list[int] = []

    async def turn(conversation: str, seq: int) -> None:
        taken.append(seq)
        if seq == 1:
            raise ValueError("boom")

    lanes = Lanes(turn)
    lanes.put("c", 1)
    lanes.put("c", 2)
    await lanes.idle()
    assert taken == [1, 2]
    assert "turn failed" in caplog.text


async def test_closing_lets_the_turn_end_and_leaves_the_rest_to_the_sweep() -> None:
    ended: list[int] = []

    async def turn(conversation: str, seq: int) -> None:
        await asyncio.sleep(0)
        ended.append(seq)

    lanes = Lanes(turn)
    lanes.put("c", 1)
    lanes.put("c", 2)
    await asyncio.sleep(0)
    await lanes.close(patience=5)
    lanes.put("c", 3)
    assert ended == [1]
    assert lanes.busy == 0


async def test_a_turn_that_does_not_end_is_cancelled_after_the_patience() -> None:
    cancelled = asyncio.Event()

    async def turn(conversation: str, seq: int) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    lanes = Lanes(turn)
    lanes.put("c", 1)
    await asyncio.sleep(0)
    await lanes.close(patience=0.01)
    assert cancelled.is_set()


async def test_messages_put_out_of_order_are_answered_in_order() -> None:
    taken: list[int] = []
    gate = asyncio.Event()

    async def turn(conversation: str, seq: int) -> None:
        taken.append(seq)
        await gate.wait()

    lanes = Lanes(turn)
    lanes.put("c", 3)
    await asyncio.sleep(0)
    for seq in (9, 5, 7, 5, 3):
        lanes.put("c", seq)
    gate.set()
    await lanes.idle()
    assert taken == [3, 5, 7, 9]


async def test_a_backlog_waits_for_its_place() -> None:
    running = most = 0
    taken: list[str] = []

    async def turn(conversation: str, seq: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        taken.append(conversation)
        running -= 1

    lanes = Lanes(turn, width=4)
    for number in range(100):
        lanes.put(f"c{number}", 1)
    assert lanes.busy == 100
    await lanes.idle()
    assert (most, taken) == (4, [f"c{number}" for number in range(100)])


async def test_while_the_database_is_in_trouble_the_lane_waits_and_keeps_its_order() -> None:
    taken: list[int] = []
    troubles = [StoreError("full", code="disk_full"), StoreError("locked", code="locked")]

    async def turn(conversation: str, seq: int) -> None:
        if troubles:
            raise troubles.pop()
        taken.append(seq)

    lanes = Lanes(turn, first_pause=0.001)
    lanes.put("c", 1)
    lanes.put("c", 2)
    await lanes.idle()
    assert taken == [1, 2]


@pytest.mark.parametrize("error", [Conflict("answered"), StoreError("no NUL", code="bad_text")])
async def test_what_stays_wrong_is_not_tried_for_ever(error: StoreError) -> None:
    taken: list[int] = []

    async def turn(conversation: str, seq: int) -> None:
        taken.append(seq)
        raise error

    lanes = Lanes(turn)
    lanes.put("c", 1)
    lanes.put("c", 2)
    await lanes.idle()
    assert taken == [1, 2]


async def test_closing_does_not_wait_for_a_database_in_trouble() -> None:
    async def turn(conversation: str, seq: int) -> None:
        raise StoreError("full", code="disk_full")

    lanes = Lanes(turn, width=1, first_pause=3_600)
    lanes.put("c", 1)
    lanes.put("d", 1)
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await lanes.close(patience=3_600)
    assert lanes.busy == 0
