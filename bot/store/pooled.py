"""PostgreSQL: a transaction for each unit, connections from a pool."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.store.failures import closed, is_race, translate
from bot.store.session import Session, T, Unit

TRIES = 4
"""Runs of a unit when others are faster."""
PATIENCE_S = 10.0
"""Closing waits so long for writes under way: a server that does not answer must not keep this one from ending."""


class _Pool:
    """Connections of one engine. What is under way when it closes goes back to a pool that nobody closes any more: it
    is ended by who holds it.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.closed = False

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        async with self._engine.connect() as connection:
            try:
                yield connection
            finally:
                if self.closed:
                    await connection.invalidate()

    async def close(self) -> None:
        self.closed = True
        await self._engine.dispose()


class PooledWriter:
    """A unit that lost a race is run again: it then sees what the winner wrote."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._pool = _Pool(engine)
        self._closed = False
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def write(self, unit: Unit[T]) -> T:
        if self._closed:
            raise closed()
        self._under_way += 1
        self._idle.clear()
        try:
            return await self._written(unit)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def close(self) -> None:
        """Once what is under way has ended, or has taken too long."""
        self._closed = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self._idle.wait()
        await self._pool.close()

    async def _written(self, unit: Unit[T]) -> T:
        for attempt in range(TRIES):
            try:
                async with self._pool.connection() as connection, connection.begin():
                    return await unit(connection)
            except Exception as error:
                if not is_race(error) or attempt == TRIES - 1:
                    raise translate(error) from None
        raise AssertionError("the last try returns or raises")


class PooledReaders:
    def __init__(self, engine: AsyncEngine) -> None:
        self._pool = _Pool(engine)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        async with self._pool.connection() as connection:
            yield connection

    async def look(self, unit: Unit[T]) -> T:
        async with self.session() as session:
            return await unit(session)

    async def close(self) -> None:
        await self._pool.close()
