"""The database: one writer, a few readers, schema brought up to date when it opens."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy import URL

from bot.errors import StoreError
from bot.observer import UNOBSERVED, Observer
from bot.store.engines import POOL_WAIT, is_sqlite, parse_url, postgres_engine, sqlite_engine
from bot.store.failures import closed, translate
from bot.store.group import BATCH, DEPTH, GroupWriter
from bot.store.looks import Looks
from bot.store.pooled import PooledReaders, PooledWriter
from bot.store.readers import Readers
from bot.store.session import Session, T, Unit
from bot.store.tables import SCHEMA
from bot.store.worker import Worker

E = TypeVar("E")

READERS = 2
"""Read connections on SQLite: a long read does not hold up the short ones; more would only share one CPU."""


class _Reads(Protocol):
    def session(self) -> AbstractAsyncContextManager[Session]: ...

    async def look(self, unit: Unit[T]) -> T: ...

    async def close(self) -> None: ...


class _Writes(Protocol):
    async def write(self, unit: Unit[T]) -> T: ...

    async def close(self) -> None: ...


class Database:
    """Rows on SQLite or PostgreSQL behind one door.

    `url`: sqlite:////absolute/path.db or postgresql://user:password@host/database. `busy`: seconds to wait
    where another process holds SQLite's lock. `depth`: units that may wait before `write` refuses; `batch`:
    units a commit. Bound to the event loop that opens it.

    Every method raises StoreError (`code`: overloaded, locked, disk_full, read_only, unreachable, io,
    corrupt, integrity, bad_text, bad_url, newer_schema, closed, store), or Conflict where a unique row was
    taken.
    """

    def __init__(
        self,
        url: str,
        *,
        echo: bool = False,
        busy: float = 5.0,
        depth: int = DEPTH,
        batch: int = BATCH,
        observer: Observer = UNOBSERVED,
    ) -> None:
        self.url = parse_url(url)
        self._echo = echo
        self._busy = busy
        self._depth = depth
        self._batch = batch
        self._observer = observer
        self._open: tuple[_Reads, _Writes] | None = None

    @property
    def dialect(self) -> str:
        """'sqlite' or 'postgresql'."""
        return self.url.get_backend_name()

    async def open(self) -> None:
        """Create folder and file (readable by the owner alone) where missing, migrate, start the writer."""
        if self._open is not None:
            return
        try:
            await asyncio.to_thread(_prepare, self.url)
            self._open = await (self._on_sqlite() if is_sqlite(self.url) else self._on_postgres())
        except Exception as error:
            raise translate(error) from error

    async def _on_sqlite(self) -> tuple[_Reads, _Writes]:
        build = partial(sqlite_engine, self.url, busy=self._busy, echo=self._echo)
        reading, writing = await _both(partial(build, read_only=True), build)
        readers = [Worker(reading, name=f"store-read-{i}") for i in range(READERS)]
        writer = GroupWriter(Worker(writing, name="store-write"), depth=self._depth, batch=self._batch)
        looks = Looks(Worker(reading, name="store-look"))
        return Readers(readers, looks, wait=POOL_WAIT), writer

    async def _on_postgres(self) -> tuple[_Reads, _Writes]:
        build = partial(postgres_engine, self.url, echo=self._echo)
        reading, writing = await _both(partial(build, read_only=True), build)
        return PooledReaders(reading), PooledWriter(writing)

    async def look(self, unit: Unit[T]) -> T:
        """Run `unit` on a snapshot that is no older than the call: a short read that comes often.

        On SQLite it runs on a thread, together with others that wait; as in `write`, it does database work only.
        """
        if self._open is None:
            raise closed()
        try:
            return await self._open[0].look(unit)
        except Exception as error:
            translated = translate(error)
            if translated is error:
                raise
            raise translated from None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Session]:
        """A session that reads one snapshot. Hold it briefly: never across a model call."""
        if self._open is None:
            raise closed()
        try:
            async with self._open[0].session() as session:
                yield session
        except Exception as error:
            translated = translate(error)
            if translated is error:
                raise
            raise translated from None

    async def write(self, unit: Unit[T]) -> T:
        """Run `unit` in a transaction; what it returns comes back when the commit is on disk, never before.

        The unit may be run more than once, and on SQLite it runs on the writer's thread: database work only.
        Its own exceptions come through, and nothing it did stays.
        """
        if self._open is None:
            raise closed()
        began, outcome = time.monotonic(), "failed"
        try:
            result = await self._open[1].write(unit)
            outcome = "ok"
            return result
        except StoreError as error:
            outcome = error.code
            raise
        finally:
            self._observer.written(outcome, seconds=time.monotonic() - began)

    async def close(self) -> None:
        """What was handed to `write` before is committed first. May be called twice."""
        opened, self._open = self._open, None
        if opened is not None:
            reads, writes = opened
            # The last connection to close folds SQLite's journal into the file; a reader could not.
            await reads.close()
            await writes.close()


async def _both(reading: Callable[[], E], writing: Callable[[], E]) -> tuple[E, E]:
    # An engine looks for its driver and at the file's path: not on the loop.
    return await asyncio.to_thread(lambda: (reading(), writing()))


def _prepare(url: URL) -> None:
    if is_sqlite(url):
        _create_file(url)
        if _is_current(url):
            return
    # A start need not wait for Alembic where there is nothing to migrate: it takes a quarter of a second to import.
    from bot.store.migrations import migrate

    migrate(url)


def _is_current(url: URL) -> bool:
    """Whether SQLite's file has these tables. What is wrong with one that cannot be read, migrating says."""
    try:
        with closing(
            sqlite3.connect(Path(url.database or "").absolute().as_uri() + "?mode=ro", uri=True)
        ) as file:
            return file.execute("SELECT version_num FROM alembic_version").fetchall() == [(SCHEMA,)]
    except sqlite3.Error:
        return False


def _create_file(url: URL) -> None:
    path = Path(url.database or "")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # SQLite gives its journal the rights of the database: set here, they hold before any row.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(
            f"The database {path} cannot be opened ({error.strerror}).",
            hint="Check the path and the rights of its folder, or set another home.",
            code="unreachable",
        ) from error
