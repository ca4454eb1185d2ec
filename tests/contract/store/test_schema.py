"""The migrations arrive at the schema of the tables, and lead back."""

from __future__ import annotations

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, update

from bot.errors import StoreError
from bot.store.columns import Row
from bot.store.db import Database
from bot.store.engines import parse_url
from bot.store.migrations import config, known_revisions, migrate
from bot.store.tables import SCHEMA
from tests.contract.store.freeze import on_connection
from tests.contract.store.samples import accept, history, inbound


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


def test_the_tables_know_the_migration_that_arrives_at_them() -> None:
    assert known_revisions()[-1] == SCHEMA


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


def shape(connection: Connection) -> dict[str, object]:
    """All that a schema says of each table, in an order of its own."""
    seen = inspect(connection)
    kinds = (seen.get_columns, seen.get_indexes, seen.get_unique_constraints, seen.get_foreign_keys)
    return {
        table: [sorted(map(plain, kind(table))) for kind in kinds] + [plain(seen.get_pk_constraint(table))]
        for table in seen.get_table_names()
    }


def plain(value: object) -> str:
    """Dictionaries in one order; conditions as they read, without the addresses of their objects."""
    return str(
        sorted((key, plain(part)) for key, part in value.items()) if isinstance(value, dict) else value
    )


async def test_each_step_back_is_the_step_forth_undone(store_url: str) -> None:
    url = parse_url(store_url)
    scripts = ScriptDirectory.from_config(config())
    revisions = [script.revision for script in scripts.walk_revisions()][::-1]

    def at(revision: str) -> dict[str, object]:
        migrate(url, revision)
        return on_connection(url, shape)

    def walk() -> tuple[list[dict[str, object]], list[dict[str, object]]]:
        forth = [at(revision) for revision in revisions]
        back = [at(revision) for revision in revisions[::-1]]
        return forth, back[::-1]

    forth, back = await asyncio.to_thread(walk)
    assert forth == back


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
