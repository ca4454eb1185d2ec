"""The migrations arrive at the schema of the tables, and lead back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, Column, Connection, MetaData, String, Table, inspect, update

from bot.errors import StoreError
from bot.store.columns import Row
from bot.store.db import Database
from bot.store.engines import parse_url, postgres_engine, sqlite_engine
from bot.store.migrations import migrate
from tests.contract.store.samples import accept, history, inbound

T = TypeVar("T")


def on_connection(url: URL, work: Callable[[Connection], T]) -> T:
    """Run off the loop: Alembic reads files."""
    if url.get_backend_name() == "sqlite":
        with sqlite_engine(url, busy=1).begin() as connection:
            return work(connection)
    return asyncio.run(_on_postgres(url, work))


async def _on_postgres(url: URL, work: Callable[[Connection], T]) -> T:
    engine = postgres_engine(url)
    async with engine.begin() as connection:
        result = await connection.run_sync(work)
    await engine.dispose()
    return result


def compared(connection: Connection) -> MigrationContext:
    return MigrationContext.configure(connection, opts={"compare_type": True})


def table_names(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


async def test_the_migrations_make_exactly_the_tables(store_url: str) -> None:
    url = parse_url(store_url)

    def differences() -> object:
        migrate(url)
        return on_connection(url, lambda connection: compare_metadata(compared(connection), Row.metadata))

    assert await asyncio.to_thread(differences) == []


async def test_the_way_back_leaves_nothing_and_forth_again_works(store_url: str) -> None:
    url = parse_url(store_url)

    def there_and_back() -> tuple[set[str], set[str], set[str]]:
        migrate(url)
        up = on_connection(url, table_names)
        migrate(url, "base")
        down = on_connection(url, table_names)
        migrate(url)
        return up, down, on_connection(url, table_names)

    up, down, again = await asyncio.to_thread(there_and_back)
    assert up == again == set(Row.metadata.tables) | {"alembic_version"}
    assert down == {"alembic_version"}


async def test_opening_again_keeps_what_is_stored(store_url: str) -> None:
    for expected in (1, 2):
        db = Database(store_url)
        await db.open()
        await accept(db, inbound(f"m{expected}"))
        assert len(await history(db)) == expected
        await db.close()


async def test_several_may_open_an_empty_database_at_once(store_url: str) -> None:
    databases = [Database(store_url) for _ in range(4)]
    await asyncio.gather(*(db.open() for db in databases))
    receipts = await asyncio.gather(*(accept(db, inbound("m1")) for db in databases))
    assert sum(not receipt.duplicate for receipt in receipts) == 1
    await asyncio.gather(*(db.close() for db in databases))


async def test_a_database_of_a_later_kefu_is_left_alone(store_url: str) -> None:
    db = Database(store_url)
    await db.open()
    version = Table("alembic_version", MetaData(), Column("version_num", String))
    await db.write(lambda session: session.execute(update(version), {"version_num": "9999"}))
    await db.close()
    with pytest.raises(StoreError) as caught:
        await db.open()
    assert caught.value.code == "newer_schema"
    assert "upgrade Kefu" in caught.value.hint
