"""Database URLs and the engines behind them."""

from __future__ import annotations

import json
import sqlite3
import time
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from bot.errors import StoreError

_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+asyncpg"}
_URL_HINT = "Use sqlite:////absolute/path.db or postgresql://user:password@host/database."

POOL = 10
"""Connections on PostgreSQL, once for reading and once for writing."""
POOL_WAIT = 10.0
"""Seconds to wait for a free connection before the store counts as overloaded."""

_PAUSE = 0.01
"""Seconds between two tries to change the journal's mode."""


def parse_url(url: str) -> URL:
    """The URL with Kefu's driver. Raises StoreError `bad_url`; a database in memory is refused as well."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError("The database URL cannot be read.", hint=_URL_HINT, code="bad_url") from None
    driver = _DRIVERS.get(parsed.get_backend_name())
    if driver is None or not parsed.database or parsed.database == ":memory:":
        raise StoreError("The database URL names no database of ours.", hint=_URL_HINT, code="bad_url")
    return parsed.set(drivername=driver)


def is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def sqlite_engine(
    url: URL, *, busy: float, read_only: bool = False, migrating: bool = False, echo: bool = False
) -> Engine:
    """`busy`: seconds to wait for another process's lock. Whoever connects keeps the connection: no pool."""
    # isolation_level: the driver never begins by itself, so that the statement below is what begins.
    engine = create_engine(url, **_common(echo), poolclass=NullPool, connect_args={"isolation_level": None})
    pragmas = _pragmas(foreign_keys=not migrating, read_only=read_only)
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"

    def on_connect(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA busy_timeout={int(busy * 1000)}").close()
        _journal_ahead(connection, patience=busy)
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").close()

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


def postgres_engine(url: URL, *, read_only: bool = False, echo: bool = False) -> AsyncEngine:
    """Readers see one snapshot a transaction, as they do on SQLite."""
    options: dict[str, Any] = {"isolation_level": "READ COMMITTED"}
    if read_only:
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return create_async_engine(
        url,
        **_common(echo),
        # A server tuned for speed could acknowledge what is not yet on disk.
        connect_args={"server_settings": {"application_name": "kefu", "synchronous_commit": "on"}},
        execution_options=options,
        pool_size=POOL,
        max_overflow=0,
        pool_timeout=POOL_WAIT,
        pool_pre_ping=True,
    )


def _common(echo: bool) -> dict[str, Any]:
    # Parameters hold what customers wrote; they must not reach a log through an error's text.
    return {
        "echo": echo,
        "hide_parameters": True,
        "json_serializer": json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode,
    }


def _journal_ahead(connection: sqlite3.Connection, *, patience: float) -> None:
    """Write-ahead journal. The file keeps the mode, so that only the first of several processes changes it."""
    until = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            # Two that change it at once would wait for each other: SQLite refuses one without its busy timeout.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _pragmas(*, foreign_keys: bool, read_only: bool) -> tuple[str, ...]:
    return (
        "synchronous=FULL",
        # SQLite rebuilds a table to alter it; the rows of its children must not go with the old one.
        f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
        "journal_size_limit=67108864",
        f"query_only={'ON' if read_only else 'OFF'}",
    )
