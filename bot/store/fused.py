"""An aiosqlite connection on which a statement is ONE trip to its thread.

aiosqlite crosses to the thread four times for a SELECT: cursor, execute, fetchall, close. Each crossing costs
more than a small statement does, so this connection takes all four at once, which halves the CPU time of a
statement. Values and errors are those of sqlite3.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self

import aiosqlite

_Outcome = tuple[Any, list[Any], int, int | None]


class FusedCursor:
    """What SQLAlchemy's adapter asks of an asyncio cursor, nothing more. Rows are held in memory."""

    def __init__(self, connection: FusedConnection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        return await self._take(partial(_run, self._connection.driver, sql, parameters))

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> Self:
        return await self._take(partial(_run_many, self._connection.driver, sql, parameters))

    async def _take(self, work: Callable[[], _Outcome]) -> Self:
        self.description, self._rows, self.rowcount, self.lastrowid = await self._connection.on_thread(work)
        return self

    async def fetchall(self) -> list[Any]:
        return self._rows

    async def close(self) -> None:
        """Nothing is open: the cursor was closed on its own thread."""


class FusedConnection(aiosqlite.Connection):
    """Autocommit until BEGIN is said: SQLAlchemy's `begin` event says which BEGIN it is."""

    def __init__(self, path: str) -> None:
        # Statements run on aiosqlite's thread; the check would forbid reading `total_changes` from the loop.
        connect = partial(sqlite3.connect, path, isolation_level=None, check_same_thread=False)
        super().__init__(connect, 64)
        self._thread.daemon = True

    @property
    def driver(self) -> sqlite3.Connection:
        return self._conn

    def cursor(self) -> FusedCursor:  # type: ignore[override]  # the adapter takes any awaitable cursor
        return FusedCursor(self)

    async def on_thread(self, work: Callable[[], _Outcome]) -> _Outcome:
        outcome: _Outcome = await self._execute(work)  # type: ignore[no-untyped-call]
        return outcome


def _run(driver: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> _Outcome:
    return _read(driver.execute(sql, parameters))


def _run_many(driver: sqlite3.Connection, sql: str, parameters: Sequence[Sequence[Any]]) -> _Outcome:
    return _read(driver.executemany(sql, parameters))


def _read(cursor: sqlite3.Cursor) -> _Outcome:
    try:
        rows = cursor.fetchall() if cursor.description else []
        return cursor.description, rows, cursor.rowcount, cursor.lastrowid
    finally:
        cursor.close()
