"""A SQLite store of the test's own, and a plain connection beside it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.store.db import Database

Opens = Callable[[], sqlite3.Connection]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "kefu.db"


@pytest.fixture
async def db(path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{path}", busy=0.05)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def outsider(db: Database, path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody else's connection to the same file: the driver alone, nothing of ours."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
        yield connection
