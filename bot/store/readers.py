"""Who reads on SQLite: a few threads, each with a connection that cannot write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, Dialect, Executable, Result

from bot.store.failures import overloaded
from bot.store.looks import Looks
from bot.store.session import Parameters, T, Unit
from bot.store.worker import Worker


class ReadSession:
    """A snapshot, from its first statement on."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    @property
    def dialect(self) -> Dialect:
        return self._worker.dialect

    async def execute(self, statement: Executable, parameters: Parameters | None = None, /) -> Result[Any]:
        return await self._worker.run(partial(_fetch, statement, parameters))


class Readers:
    """The reader used last is used first: its pages are warm, and the other threads stay asleep."""

    def __init__(self, workers: Sequence[Worker], looks: Looks, *, wait: float) -> None:
        self._workers = workers
        self._looks = looks
        self._wait = wait
        self._free = list(workers)
        self._turns = asyncio.Semaphore(len(workers))

    @asynccontextmanager
    async def session(self) -> AsyncIterator[ReadSession]:
        await self._turn()
        worker = self._free.pop()
        try:
            yield ReadSession(worker)
        finally:
            worker.end_transaction()
            self._free.append(worker)
            self._turns.release()

    async def look(self, unit: Unit[T]) -> T:
        return await self._looks.look(unit)

    async def close(self) -> None:
        await self._looks.close()
        for worker in self._workers:
            await worker.close()

    async def _turn(self) -> None:
        # A semaphore lets those go first who waited longest; a queue of free workers would not.
        try:
            async with asyncio.timeout(self._wait):
                await self._turns.acquire()
        except TimeoutError:
            raise overloaded() from None


def _fetch(statement: Executable, parameters: Parameters | None, connection: Connection) -> Result[Any]:
    # Frozen: all rows are read on this thread, none later on the loop's.
    return connection.execute(statement, parameters).freeze()()
