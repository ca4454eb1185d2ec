"""A look from outside sees what is there, and changes nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Column, MetaData, String, Table, text, update

from bot.clock import SystemClock
from bot.errors import StoreError
from bot.store import knowledge as shelf
from bot.store.db import Database
from bot.store.engines import parse_url
from bot.store.glance import damage, glance, schema
from bot.store.migrations import migrate
from bot.store.session import Session

VERSION = Table("alembic_version", MetaData(), Column("version_num", String))


async def test_the_schema_is_judged_by_the_migrations(store_url: str) -> None:
    if store_url.startswith("postgresql"):
        assert await asyncio.to_thread(schema, store_url) == "empty"
    await asyncio.to_thread(migrate, parse_url(store_url))
    assert await asyncio.to_thread(schema, store_url) == "current"
    db = Database(store_url)
    await db.open()
    await db.write(lambda session: session.execute(update(VERSION), {"version_num": "9999"}))
    await db.close()
    assert await asyncio.to_thread(schema, store_url) == "newer"


async def test_it_reads_beside_a_writer_and_sees_what_is_committed(db: Database, store_url: str) -> None:
    entry = shelf.KnowledgeRow("open", "en", "When?", "Now.")
    now = SystemClock().now()
    await db.write(lambda session: shelf.sync(session, "x", [entry], now, prune=False))
    assert await asyncio.to_thread(glance, store_url, shelf.revision) == 1
    assert len(await asyncio.to_thread(glance, store_url, shelf.active)) == 1
    assert await asyncio.to_thread(glance, store_url, damage) is None


async def test_it_cannot_write(db: Database, store_url: str) -> None:
    async def scribble(session: Session) -> None:
        await session.execute(text("UPDATE meta SET value = '99'"))

    with pytest.raises(StoreError):
        await asyncio.to_thread(glance, store_url, scribble)
    async with db.read() as session:
        assert await shelf.revision(session) == 0


async def test_what_takes_too_long_is_given_up(db: Database, store_url: str) -> None:
    async def count(session: Session) -> None:
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
        await session.execute(text(endless))

    with pytest.raises(StoreError) as caught:
        await asyncio.to_thread(lambda: glance(store_url, count, within=0.2))
    assert caught.value.code == "slow"


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        schema(f"sqlite:///{tmp_path / 'none.db'}")
    assert caught.value.code == "no_database"
    assert list(tmp_path.iterdir()) == []
