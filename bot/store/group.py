"""Group commit on SQLite: one thread, one connection, one transaction for all who wait."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from bot.store.failures import closed, overloaded, translate
from bot.store.jobs import Job, Outcome, resolve
from bot.store.session import T, Unit, run_here
from bot.store.worker import Worker

DEPTH = 4_096
"""Units that may wait; more are refused as `overloaded`."""
BATCH = 64
"""Units committed together at most: bounds how long the first of them waits for its commit."""


class _CannotBegin(Exception):
    """No transaction could be opened, so no unit is to blame."""


class GroupWriter:
    """What is waiting goes into one transaction, and is acknowledged after its one commit."""

    def __init__(self, worker: Worker, *, depth: int = DEPTH, batch: int = BATCH) -> None:
        self._worker = worker
        self._batch = batch
        self._queue: asyncio.Queue[Job | None] = asyncio.Queue(depth)
        self._closed = False
        self._task = asyncio.create_task(self._run(), name="store-writer")

    async def write(self, unit: Unit[T]) -> T:
        """A caller that is cancelled leaves the others alone; its unit is left out unless it has begun."""
        if self._closed:
            raise closed()
        job = Job(unit, asyncio.get_running_loop().create_future())
        try:
            self._queue.put_nowait(job)
        except asyncio.QueueFull:
            raise overloaded() from None
        result: T = await job.done
        return result

    async def close(self) -> None:
        """Everything accepted is committed first."""
        if not self._closed:
            self._closed = True
            await self._queue.put(None)
        await asyncio.wait([self._task])
        await self._worker.close()

    async def _run(self) -> None:
        last = False
        while not last:
            jobs, last = await self._waiting()
            try:
                await self._settle([job for job in jobs if not job.done.done()])
            except BaseException:  # the loop is being torn down under us: nobody may wait for ever
                self._closed = True
                self._abandon(jobs)
                raise

    async def _waiting(self) -> tuple[list[Job], bool]:
        jobs: list[Job] = []
        item = await self._queue.get()
        while item is not None:
            jobs.append(item)
            if len(jobs) == self._batch or self._queue.empty():
                return jobs, False
            item = self._queue.get_nowait()
        return jobs, True

    async def _settle(self, jobs: list[Job]) -> None:
        """Commit the jobs together, or each alone where that fails, so that only the guilty one fails."""
        if not jobs:
            return
        try:
            outcomes = await self._worker.run(partial(_transaction, [job.unit for job in jobs]))
        except Exception as error:
            if len(jobs) > 1 and not isinstance(error, _CannotBegin):
                for job in jobs:
                    await self._settle([job])
                return
            outcomes = [Outcome(error=_cause(error)) for _ in jobs]
        for job, outcome in zip(jobs, outcomes, strict=True):
            resolve(job, outcome)

    def _abandon(self, jobs: list[Job]) -> None:
        while not self._queue.empty():
            item = self._queue.get_nowait()
            if item is not None:
                jobs.append(item)
        for job in jobs:
            resolve(job, Outcome(error=closed()))


def _transaction(units: Sequence[Unit[Any]], connection: Connection) -> list[Outcome]:
    """On the worker's thread, which rolls back whatever raises here."""
    try:
        transaction = connection.begin()
    except Exception as error:
        raise _CannotBegin from error
    outcomes = [_outcome(unit, connection) for unit in units]
    transaction.commit()
    return outcomes


def _outcome(unit: Unit[Any], connection: Connection) -> Outcome:
    """Raises where the transaction is spoilt. A unit that failed before it wrote spoils nothing."""
    driver: Any = connection.connection.driver_connection
    before = driver.total_changes
    try:
        outcome = Outcome(value=run_here(unit, connection))
    except Exception as error:
        if isinstance(error, DBAPIError) or driver.total_changes != before:
            raise
        outcome = Outcome(error=translate(error))
    if not driver.in_transaction:
        # SQLite itself ends the transaction on a full disk, even if the unit swallowed the error.
        raise RuntimeError("The transaction is gone: a unit neither commits, rolls back, nor hides an error.")
    return outcome


def _cause(error: Exception) -> Exception:
    if isinstance(error, _CannotBegin) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    return translate(error)
