"""Pages hear that another process gave their conversation to somebody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.engine.holders import Seen, keep_looking, look
from bot.store import escalations
from bot.store.db import Database
from connectors.port import Frame
from tests.unit.engine.conftest import Engine


async def waiting(engine: Engine, conversation: str) -> str:
    """Passed to a person; the case's id."""
    await engine.say("Talk to a person", conversation=conversation)
    await engine.lanes.idle()
    return (await cases(engine))[conversation]


async def cases(engine: Engine) -> dict[str, str]:
    async with engine.desk.store.read() as session:
        found = await escalations.list_open(session, engine.desk.clock.now())
    return {case.conversation: case.id for case in found}


async def close_elsewhere(engine: Engine, case: str) -> None:
    """As the command line does: a database of its own on the same file, and no bus."""
    other = Database(engine.desk.store.url.render_as_string(hide_password=False))
    await other.open()
    await other.write(lambda session: escalations.close(session, case, engine.desk.clock.now()))
    await other.close()


async def status_of(frames: AsyncIterator[Frame]) -> str:
    async with asyncio.timeout(10):
        async for frame in frames:
            if frame.kind == "status":
                return frame.status
    raise AssertionError


async def test_an_open_page_hears_that_its_case_was_closed_elsewhere(engine: Engine) -> None:
    case = await waiting(engine, "c1")
    task = asyncio.create_task(keep_looking(engine.desk, every=0.01))
    async with engine.gateway.subscribe("c1") as frames:
        await close_elsewhere(engine, case)
        assert await status_of(frames) == "bot"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_only_conversations_that_changed_are_told(engine: Engine) -> None:
    case = await waiting(engine, "c1")
    async with engine.gateway.subscribe("c1") as one, engine.gateway.subscribe("silent") as other:
        await close_elsewhere(engine, case)
        await look(engine.desk, Seen(0, engine.desk.clock.now()))
        assert await status_of(one) == "bot"
        quiet = asyncio.ensure_future(anext(other))
        await asyncio.sleep(0)
        assert not quiet.done()
        quiet.cancel()


async def test_while_no_case_changes_hands_one_row_is_read(engine: Engine) -> None:
    case = await waiting(engine, "c1")
    seen = await look(engine.desk, Seen(0, engine.desk.clock.now()))
    assert (await look(engine.desk, seen)).revision == seen.revision == 0
    await close_elsewhere(engine, case)
    assert (await look(engine.desk, seen)).revision == 1


async def test_a_database_in_trouble_is_looked_at_again(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    task = asyncio.create_task(keep_looking(engine.desk, every=0.01))
    await engine.desk.store.close()
    async with asyncio.timeout(10):
        while "was not looked at" not in caplog.text:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await engine.desk.store.open()
    case = await waiting(engine, "c1")
    async with engine.gateway.subscribe("c1") as frames:
        await close_elsewhere(engine, case)
        assert await status_of(frames) == "bot"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
