"""Who writes: one task with one connection on SQLite, a transaction each on PostgreSQL.

A unit is an async function of a session. It may be run more than once, so it does nothing but database work
and gives the same result from the same rows. It must neither commit, roll back, nor wait for another write.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bot.store.failures import closed, is_race, translate

T = TypeVar("T")
Unit = Callable[[AsyncSession], Awaitable[T]]
Sessions = async_sessionmaker[AsyncSession]

DEPTH = 4_096
"""Units that may wait; more are refused as `overloaded`."""
BATCH = 64
"""Units committed together at most: bounds how long the first of them waits for its commit."""
TRIES = 4
"""Runs of a unit on PostgreSQL when others are faster."""


class Writer(Protocol):
    async def write(self, unit: Unit[T]) -> T: ...

    async def close(self) -> None: ...


class PooledWriter:
    """A transaction for each unit. One that lost a race is run again: it then sees what the winner wrote."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._closed = False

    async def write(self, unit: Unit[T]) -> T:
        if self._closed:
            raise closed()
        for attempt in range(TRIES):
            try:
                async with self._sessions.begin() as session:
                    return await unit(session)
            except Exception as error:
                if not is_race(error) or attempt == TRIES - 1:
                    raise translate(error) from None
        raise AssertionError("unreachable")

    async def close(self) -> None:
        self._closed = True
