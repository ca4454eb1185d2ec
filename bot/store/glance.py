"""A look at a database from outside: nothing is created, migrated or locked against writers."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from sqlalchemy import URL, Column, Engine, MetaData, String, Table, create_engine, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import NullPool

from bot.errors import StoreError
from bot.store.engines import POOL_WAIT, is_sqlite, parse_url, postgres_engine
from bot.store.failures import translate
from bot.store.migrations import known_revisions
from bot.store.session import Session, T, Unit, run_here

Schema = Literal["current", "behind", "newer", "empty"]
BUSY_S = 5.0
STEPS = 100_000
"""Of SQLite's virtual machine, between two looks at the time."""

_VERSION = Table("alembic_version", MetaData(), Column("version_num", String))


def glance(url: str, unit: Unit[T], *, within: float = POOL_WAIT) -> T:
    """Run a reading unit on a connection of its own; blocks. After `within` seconds it is given up.

    Raises StoreError: as `Database`, and `no_database` where SQLite's file is not there, `slow` for no result in
    time.
    """
    parsed = parse_url(url)
    try:
        if is_sqlite(parsed):
            return _on_sqlite(parsed, unit, within)
        return asyncio.run(_on_postgres(postgres_engine(parsed, read_only=True), unit, within))
    except TimeoutError:
        raise _slow(within) from None
    except Exception as error:
        raise translate(error) from error


def schema(url: str) -> Schema:
    """Where the database stands between the migrations this Kefu knows. Raises StoreError."""
    found = glance(url, _version)
    if found is None:
        return "empty"
    known = known_revisions()
    if found not in known:
        return "newer"
    return "current" if found == known[-1] else "behind"


async def _version(session: Session) -> str | None:
    """The migration that it was brought to; None where there was none."""
    try:
        return (await session.execute(select(_VERSION.c.version_num))).scalar_one_or_none()
    except DBAPIError:
        return None


async def damage(session: Session) -> str | None:
    """The first thing that SQLite's quick_check finds wrong; None where all is well, and on PostgreSQL."""
    if session.dialect.name != "sqlite":
        return None
    found = (await session.execute(text("PRAGMA quick_check(1)"))).scalar_one()
    return None if found == "ok" else str(found)


def sqlite_path(url: str) -> Path | None:
    """SQLite's file; None for another database. Raises StoreError `bad_url`."""
    parsed = parse_url(url)
    return Path(parsed.database or "") if is_sqlite(parsed) else None


def _on_sqlite(url: URL, unit: Unit[T], within: float) -> T:
    path = Path(url.database or "")
    if not path.is_file():
        hint = "Name the bot's folder or --home; `kefu serve` makes the database."
        raise StoreError(f"There is no database {path}.", hint=hint, code="no_database")
    end = time.monotonic() + within
    engine = _reader(path, end)
    try:
        with engine.connect() as connection:
            return run_here(unit, connection)
    except DBAPIError as error:
        if getattr(error.orig, "sqlite_errorname", "") == "SQLITE_INTERRUPT":
            raise _slow(within) from None
        raise
    finally:
        engine.dispose()


def _reader(path: Path, end: float) -> Engine:
    # Without a journal nobody has it open: told that nothing changes, SQLite makes no files beside it.
    still = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"

    def connect() -> sqlite3.Connection:
        uri = f"file:{quote(str(path.absolute()))}?mode=ro{still}"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_S)
        connection.set_progress_handler(lambda: time.monotonic() > end, STEPS)
        return connection

    return create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)


async def _on_postgres(engine: AsyncEngine, unit: Unit[T], within: float) -> T:
    try:
        async with asyncio.timeout(within), engine.connect() as connection:
            return await unit(connection)
    finally:
        await engine.dispose()


def _slow(within: float) -> StoreError:
    return StoreError(f"The database gave no answer within {within:.0f} s.", hint="Try again.", code="slow")
