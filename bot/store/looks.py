"""Short reads on SQLite: who waits is served together, in one go on one thread and from one snapshot.

Every message begins with such a read. A trip to the thread and a transaction for each cost more than the read itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection

from bot.store.failures import closed, overloaded
from bot.store.jobs import Job, Outcome, attempt, resolve
from bot.store.session import T, Unit
from bot.store.worker import Worker

DEPTH = 4_096
"""Units that may wait; more are refused as `overloaded`."""
BATCH = 64
"""Units of one snapshot at most: bounds how long the first of them waits for the last."""


class Looks:
    """What comes while the thread is busy is the next batch; a lone unit goes at once."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._waiting: list[Job] = []
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def look(self, unit: Unit[T]) -> T:
        if self._closed:
            raise closed()
        if len(self._waiting) >= DEPTH:
            raise overloaded()
        job = Job(unit, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="store-looks")
        result: T = await job.done
        return result

    async def close(self) -> None:
        """Everything accepted is answered first."""
        self._closed = True
        if self._task is not None:
            await asyncio.wait([self._task])
        await self._worker.close()

    async def _run(self) -> None:
        try:
            while self._waiting:
                jobs, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                await self._answer([job for job in jobs if not job.done.done()])
        finally:
            self._task = None

    async def _answer(self, jobs: Sequence[Job]) -> None:
        try:
            outcomes = await self._worker.run(partial(_read, [job.unit for job in jobs]))
        except Exception as error:  # the snapshot could not be opened
            outcomes = [Outcome(error=error) for _ in jobs]
        except BaseException:  # the loop is being torn down under us: nobody may wait for ever
            for job in (*jobs, *self._waiting):
                resolve(job, Outcome(error=closed()))
            raise
        for job, outcome in zip(jobs, outcomes, strict=True):
            resolve(job, outcome)


def _read(units: Sequence[Unit[Any]], connection: Connection) -> list[Outcome]:
    """On the worker's thread."""
    with connection.begin() as snapshot:
        outcomes = [attempt(unit, connection) for unit in units]
        snapshot.rollback()
    return outcomes
