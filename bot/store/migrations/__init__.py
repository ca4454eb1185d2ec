"""The schema's history. Each change of a table comes with a file in `versions/`, numbered, with a way back.

`migrate` brings a database to a revision; two processes that start at once wait for one another.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import URL, Connection, text

from bot.errors import StoreError
from bot.store.engines import is_sqlite, postgres_engine, sqlite_engine

_LOCK = 0x6B656675
"""Advisory lock on PostgreSQL; SQLite has BEGIN IMMEDIATE."""


def migrate(url: URL, revision: str = "head", *, busy: float = 30.0) -> None:
    """Up, or down, to `revision` ("base": nothing left), in one transaction. Blocks: call it in a thread.

    Raises StoreError `newer_schema` for a database written by a later Kefu; a driver's errors as they are.
    """
    if not is_sqlite(url):
        asyncio.run(_on_postgres(url, revision))
        return
    with sqlite_engine(url, busy=busy, migrating=True).begin() as connection:
        _step(connection, revision)


def config(connection: Connection) -> Config:
    """Alembic's settings, without a file."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    return settings


async def _on_postgres(url: URL, revision: str) -> None:
    engine = postgres_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            await connection.run_sync(_step, revision)
    finally:
        await engine.dispose()


def _step(connection: Connection, revision: str) -> None:
    settings = config(connection)
    try:
        if revision == "base":
            command.downgrade(settings, revision)
        else:
            command.upgrade(settings, revision)
    except CommandError as error:
        raise StoreError(
            f"The database's schema is not one of ours ({error}).",
            hint="It was written by a later Kefu: upgrade Kefu, or restore the backup from before.",
            code="newer_schema",
        ) from error
