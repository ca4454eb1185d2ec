"""Database URLs and the engines behind them."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from bot.errors import StoreError
from bot.store.fused import FusedConnection

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_URL_HINT = "Use sqlite:////absolute/path.db or postgresql://user:password@host/database."

POOL_WAIT = 10.0
"""Seconds to wait for a free connection before the store counts as overloaded."""


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
    url: URL, *, pool: int, begin: str, busy: float, read_only: bool, echo: bool
) -> AsyncEngine:
    """`begin` opens a transaction; `busy`: seconds to wait for another process's lock."""
    engine = create_async_engine(
        url,
        **_common(echo),
        connect_args={"async_creator_fn": _connect},
        pool_size=pool,
        max_overflow=0,
        pool_timeout=POOL_WAIT,
    )
    _attend(engine, begin=begin, pragmas=_pragmas(busy=busy, read_only=read_only))
    return engine


def postgres_engine(url: URL, *, pool: int, read_only: bool, echo: bool) -> AsyncEngine:
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
        pool_size=pool,
        max_overflow=0,
        pool_timeout=POOL_WAIT,
        pool_pre_ping=True,
    )


def migration_engine(url: URL, *, busy: float) -> AsyncEngine:
    """One connection, no foreign keys enforced: SQLite rebuilds a table to alter it."""
    if not is_sqlite(url):
        return create_async_engine(url, poolclass=NullPool, hide_parameters=True)
    connect = {"async_creator_fn": _connect}
    engine = create_async_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=connect)
    _attend(engine, begin="BEGIN IMMEDIATE", pragmas=(*_opening(busy), "PRAGMA foreign_keys=OFF"))
    return engine


def _common(echo: bool) -> dict[str, Any]:
    # Parameters hold what customers wrote; they must not reach a log through an error's text.
    return {
        "echo": echo,
        "hide_parameters": True,
        "json_serializer": partial(json.dumps, ensure_ascii=False, separators=(",", ":")),
    }


def _connect(path: str, **_: Any) -> FusedConnection:
    return FusedConnection(path)


def _opening(busy: float) -> tuple[str, ...]:
    # busy_timeout comes first: the others may have to wait for a lock.
    return (f"PRAGMA busy_timeout={int(busy * 1000)}", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL")


def _pragmas(*, busy: float, read_only: bool) -> tuple[str, ...]:
    pragmas = (*_opening(busy), "PRAGMA foreign_keys=ON", "PRAGMA journal_size_limit=67108864")
    return (*pragmas, "PRAGMA query_only=ON") if read_only else pragmas


def _attend(engine: AsyncEngine, *, begin: str, pragmas: tuple[str, ...]) -> None:
    def on_connect(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "begin", on_begin)
