"""A thread with a SQLite connection of its own.

Whole pieces of work go to the thread, statements and their rows together: crossing over costs more than a small
statement does, which is why there is no driver that crosses for each call.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

T = TypeVar("T")


class Worker:
    """Work is done in the order it was handed over. The connection opens with the first, and again when lost."""

    def __init__(self, engine: Engine, *, name: str) -> None:
        self.dialect = engine.dialect
        self._engine = engine
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._connection: Connection | None = None
        self._closed = False

    async def run(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, work)

    def end_transaction(self) -> None:
        """Nobody needs to wait for it: what comes next on this thread comes after. After `close` there is none."""
        if not self._closed:
            self._thread.submit(self._roll_back)

    async def close(self) -> None:
        self._closed = True
        await asyncio.wrap_future(self._thread.submit(self._close))
        self._thread.shutdown(wait=False)

    def _do(self, work: Callable[[Connection], T]) -> T:
        if self._connection is None:
            self._connection = self._engine.connect()
        try:
            return work(self._connection)
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        """A connection that cannot even roll back is given up."""
        if self._connection is None:
            return
        try:
            self._connection.rollback()
            _driver(self._connection).rollback()  # a COMMIT that failed leaves SQLite's transaction open
        except Exception:
            self._close()

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(SQLAlchemyError):
                connection.close()


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
