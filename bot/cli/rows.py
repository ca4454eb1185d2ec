"""The database, for verbs: units of work run one by one, without a loop of the verb's own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from bot.errors import HomeError
from bot.settings import Settings
from bot.store.db import Database
from bot.store.session import Unit

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rows:
    """Blocking. Raises StoreError."""

    store: Database
    runner: asyncio.Runner

    def read(self, unit: Unit[T]) -> T:
        return self.runner.run(self._read(unit))

    def write(self, unit: Unit[T]) -> T:
        return self.runner.run(self.store.write(unit))

    async def _read(self, unit: Unit[T]) -> T:
        async with self.store.read() as session:
            return await unit(session)


@contextmanager
def rows_of(settings: Settings) -> Iterator[Rows]:
    store = Database(settings.database_url)
    with asyncio.Runner() as runner:
        runner.run(store.open())
        try:
            yield Rows(store, runner)
        finally:
            runner.run(store.close())


def expect_database(url: str) -> None:
    """A mistyped folder must not turn into an empty database. Raises HomeError."""
    parts = urlsplit(url)
    path = Path(parts.path[1:])
    if parts.scheme.startswith("sqlite") and not path.exists():
        hint = "Name the bot's folder or --home; `kefu serve` makes the database."
        raise HomeError(f"There is no database {path}.", hint=hint, code="no_database")
