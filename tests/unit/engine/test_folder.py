"""A bot folder's answers in the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.engine.knowledge import read_knowledge, sync_folder
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
