"""What runs for as long as the server does survives every failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from bot.clock import SystemClock
from bot.engine.knowledge import keep_fresh, read_knowledge, sync_folder
from bot.inference.bundles import Knowledge
from bot.inference.understanding import Live
from bot.store.db import Database
from retrieval.types import Entry

FEE = Entry("", "fee", "en", "What does a card cost?", "A card costs 10 yuan.")
TIME = Entry("", "time", "en", "How long does a card take?", "Five days.")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'kefu.db'}")
    await database.open()
    yield database
    await database.close()


@dataclass
class Host:
    """Refreshes as told: raises each of `troubles` first."""

    revision: int
    troubles: list[Exception] = field(default_factory=list)
    seen: asyncio.Queue[Knowledge] = field(default_factory=asyncio.Queue)

    @property
    def bundle(self) -> Host:
        return self

    def current(self) -> Live:
        return cast(Live, self)

    async def refresh(self, knowledge: Knowledge) -> Live:
        if self.troubles:
            raise self.troubles.pop()
        self.revision = knowledge.revision
        self.seen.put_nowait(knowledge)
        return cast(Live, self)


async def test_newer_knowledge_goes_live_though_a_first_try_fails(
    store: Database, caplog: pytest.LogCaptureFixture
) -> None:
    host = Host(0, [OSError("No space left on device")])
    task = asyncio.create_task(keep_fresh(store, host, every=0.01, retry=0.02))
    await sync_folder(store, [("knowledge/a.jsonl", FEE)], clock=SystemClock())
    async with asyncio.timeout(10):
        assert [entry.key for entry in (await host.seen.get()).entries] == ["fee"]
    assert "No space left" in caplog.text
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_file_that_is_gone_takes_its_answers_with_it(store: Database) -> None:
    clock = SystemClock()
    both = [("knowledge/a.jsonl", FEE), ("knowledge/b.jsonl", TIME)]
    await sync_folder(store, both, clock=clock)
    first = await read_knowledge(store)
    await sync_folder(store, both, clock=clock)
    assert (await read_knowledge(store)) == first
    await sync_folder(store, both[:1], clock=clock)
    left = await read_knowledge(store)
    assert [entry.key for entry in left.entries] == ["fee"]
    assert left.revision > first.revision
    await sync_folder(store, [], clock=clock)
    assert (await read_knowledge(store)).entries == ()
