"""Requests that wait: woken by what happens, by time, by the server's end; never by luck."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from bot.api.waits import Waits
from connectors.errors import Overloaded
from connectors.port import Message
from connectors.testing import MemoryGateway

LONG = 30.0


async def look(gateway: MemoryGateway) -> Sequence[Message]:
    return await gateway.history_after("c1", 0)


def wait(waits: Waits, gateway: MemoryGateway, seconds: float = LONG) -> asyncio.Task[Sequence[Message]]:
    found = waits.until("c1", lambda: look(gateway), enough=bool, seconds=seconds)
    return asyncio.create_task(found)


async def until_subscribed(gateway: MemoryGateway, count: int = 1) -> None:
    async with asyncio.timeout(5):
        while gateway.subscribers("c1") < count:  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_what_is_there_is_not_waited_for() -> None:
    gateway = MemoryGateway()
    gateway.say("c1", "Hello")
    assert [m.text for m in await wait(Waits(gateway), gateway)] == ["Hello"]
    assert gateway.subscribers("c1") == 0


async def test_what_comes_is_given_at_once() -> None:
    gateway = MemoryGateway()
    waiting = wait(Waits(gateway), gateway)
    await until_subscribed(gateway)
    gateway.say("c1", "Hello")
    assert [m.text for m in await waiting] == ["Hello"]
    assert gateway.subscribers("c1") == 0


async def test_what_came_while_the_subscription_was_made_is_seen() -> None:
    gateway = MemoryGateway()
    looks = 0

    async def look_late() -> Sequence[Message]:
        nonlocal looks
        looks += 1
        if looks == 2:  # the first one behind the subscription
            gateway.say("c1", "Hello", publish=False)
        return await look(gateway)

    found = await Waits(gateway).until("c1", look_late, enough=bool, seconds=LONG)
    assert [m.text for m in found] == ["Hello"]


async def test_a_subscription_that_ends_is_made_again() -> None:
    gateway = MemoryGateway()
    waiting = wait(Waits(gateway), gateway)
    await until_subscribed(gateway)
    gateway.end_subscriptions("c1")
    await asyncio.sleep(0)
    await until_subscribed(gateway)
    gateway.say("c1", "Hello")
    assert await waiting


async def test_time_ends_a_wait_with_what_there_is() -> None:
    gateway = MemoryGateway()
    assert list(await wait(Waits(gateway), gateway, seconds=0.01)) == []


async def test_the_servers_end_ends_every_wait() -> None:
    gateway = MemoryGateway()
    waits = Waits(gateway)
    waiting = [wait(waits, gateway) for _ in range(3)]
    await until_subscribed(gateway, 3)
    waits.close()
    assert [list(found) for found in await asyncio.gather(*waiting)] == [[], [], []]
    assert list(await wait(waits, gateway)) == []


async def test_more_than_may_wait_are_refused() -> None:
    gateway = MemoryGateway()
    waits = Waits(gateway, most=1)
    waiting = wait(waits, gateway)
    await until_subscribed(gateway)
    with pytest.raises(Overloaded):
        await wait(waits, gateway)
    gateway.say("c1", "Hello")
    assert await waiting
