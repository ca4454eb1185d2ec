"""What SQLite is told, and what follows from it."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection, insert, select, text

from bot.store.db import Database
from bot.store.engines import sqlite_engine
from bot.store.group import GroupWriter
from bot.store.session import Session, Unit
from bot.store.tables import META
from bot.store.worker import Worker

T = TypeVar("T")
FULL = 2


def put(key: str) -> Unit[str]:
    async def unit(session: Session) -> str:
        await session.execute(insert(META), {"key": key, "value": "x"})
        return key

    return unit


async def pragmas(session: Session) -> dict[str, object]:
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "query_only")
    return {name: (await session.execute(text(f"PRAGMA {name}"))).scalar_one() for name in names}


async def test_every_connection_is_durable_and_keeps_foreign_keys(db: Database) -> None:
    common = {"journal_mode": "wal", "synchronous": FULL, "foreign_keys": 1, "busy_timeout": 50}
    assert await db.write(pragmas) == common | {"query_only": 0}
    async with db.read() as one, db.read() as other:
        for session in (one, other):
            assert await pragmas(session) == common | {"query_only": 1}


async def test_write_returns_after_the_commit(db: Database, outsider: sqlite3.Connection) -> None:
    for i in range(20):
        await db.write(put(f"k{i}"))
        assert outsider.execute("SELECT value FROM meta WHERE key = ?", (f"k{i}",)).fetchall() == [("x",)]


async def test_nobody_is_told_before_the_commit(db: Database, outsider: sqlite3.Connection) -> None:
    """While a batch is being committed, whoever has been told already must be seen from outside."""
    told: set[str] = set()

    async def write(key: str) -> None:
        told.add(await db.write(put(key)))
        seen = {key for (key,) in outsider.execute("SELECT key FROM meta").fetchall()}
        assert told <= seen

    await asyncio.gather(*(write(f"k{i}") for i in range(150)))
    assert len(told) == 150


async def test_the_owner_alone_reads_the_files(db: Database, path: Path) -> None:
    await db.write(put("k"))
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["kefu.db", "kefu.db-shm", "kefu.db-wal"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_closing_leaves_one_file(db: Database, path: Path) -> None:
    await db.write(put("k"))
    await db.close()
    assert [file.name for file in path.parent.iterdir()] == ["kefu.db"]


class CountingWorker(Worker):
    runs = 0

    async def run(self, work: Callable[[Connection], T]) -> T:
        self.runs += 1
        return await super().run(work)


@pytest.mark.parametrize(("units", "commits"), [(1, 1), (64, 2), (200, 5)])
async def test_those_who_wait_share_a_commit(db: Database, units: int, commits: int) -> None:
    """The first to come opens a batch alone or with whoever is there; the rest fill batches of 64."""
    worker = CountingWorker(await asyncio.to_thread(sqlite_engine, db.url, busy=1), name="count")
    writer = GroupWriter(worker)
    await asyncio.gather(*(writer.write(put(f"k{i}")) for i in range(units)))
    assert worker.runs <= commits
    await writer.close()


async def test_units_run_in_the_order_they_came(db: Database) -> None:
    async def count(session: Session) -> int:
        number = len((await session.execute(select(META).where(META.c.key.startswith("k")))).all())
        await session.execute(insert(META), {"key": f"k{number}", "value": "x"})
        return number

    assert await asyncio.gather(*(db.write(count) for _ in range(100))) == list(range(1, 101))
