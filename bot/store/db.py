"""The database: one writer, a few readers, schema brought up to date when it opens."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from bot.errors import StoreError
from bot.store.engines import is_sqlite, parse_url, postgres_engine, sqlite_engine
from bot.store.failures import closed, translate
from bot.store.group import GroupWriter
from bot.store.writer import BATCH, DEPTH, PooledWriter, Unit, Writer

T = TypeVar("T")

READERS = 4
"""Read connections on SQLite."""
POOL = 10
"""Connections on PostgreSQL, once for reading and once for writing."""


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
        self, url: str, *, echo: bool = False, busy: float = 5.0, depth: int = DEPTH, batch: int = BATCH
    ) -> None:
        self.url = parse_url(url)
        self._echo = echo
        self._busy = busy
        self._depth = depth
        self._batch = batch
        self._engines: tuple[AsyncEngine, ...] = ()
        self._readers: async_sessionmaker[AsyncSession] | None = None
        self._writer: Writer | None = None

    @property
    def dialect(self) -> str:
        """'sqlite' or 'postgresql'."""
        return self.url.get_backend_name()

    async def open(self) -> None:
        """Create folder and file (readable by the owner alone) where missing, migrate, start the writer."""
        if self._writer is not None:
            return
        try:
            await asyncio.to_thread(_prepare, self.url)
        except Exception as error:
            raise translate(error) from error
        self._start()

    def _start(self) -> None:
        reading, writing = self._build()
        self._engines = (reading, writing)
        self._readers = async_sessionmaker(reading, expire_on_commit=False, autoflush=False)
        writers = async_sessionmaker(writing, expire_on_commit=False)
        if is_sqlite(self.url):
            self._writer = GroupWriter(writers, depth=self._depth, batch=self._batch)
        else:
            self._writer = PooledWriter(writers)

    def _build(self) -> tuple[AsyncEngine, AsyncEngine]:
        url, echo, busy = self.url, self._echo, self._busy
        if not is_sqlite(url):
            reading = postgres_engine(url, pool=POOL, read_only=True, echo=echo)
            return reading, postgres_engine(url, pool=POOL, read_only=False, echo=echo)
        reading = sqlite_engine(url, pool=READERS, begin="BEGIN", busy=busy, read_only=True, echo=echo)
        return reading, sqlite_engine(
            url, pool=1, begin="BEGIN IMMEDIATE", busy=busy, read_only=False, echo=echo
        )

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session that reads one snapshot. Hold it briefly: never across a model call."""
        if self._readers is None:
            raise closed()
        try:
            async with self._readers() as session:
                yield session
        except Exception as error:
            translated = translate(error)
            if translated is error:
                raise
            raise translated from None

    async def write(self, unit: Unit[T]) -> T:
        """Run `unit` in a transaction; what it returns comes back when the commit is on disk, never before.

        The unit may be run more than once: database work only, no other side effects, no call of `write`.
        Its own exceptions come through, and nothing it did stays.
        """
        if self._writer is None:
            raise closed()
        return await self._writer.write(unit)

    async def close(self) -> None:
        """What was handed to `write` before is committed first. May be called twice."""
        writer, self._writer, self._readers = self._writer, None, None
        if writer is not None:
            await writer.close()
        engines, self._engines = self._engines, ()
        for engine in engines:
            await engine.dispose()


def _prepare(url: URL) -> None:
    # Alembic is needed once, here; importing it takes long enough to keep it off the loop.
    from bot.store.migrations import migrate

    if is_sqlite(url):
        _create_file(url)
    migrate(url)


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
