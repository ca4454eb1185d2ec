"""The same tests on each database: SQLite, and a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.store.db import Database
from bot.store.engines import parse_url
from bot.store.migrations import migrate
from tests.postgres import database


@pytest.fixture(scope="session")
def migrated(postgres_server: str) -> Iterator[str]:
    """A database of today's schema that others are copied from: that takes a fraction of migrating each."""

    making = database(postgres_server)
    with asyncio.Runner() as runner:
        url = runner.run(making.__aenter__())
        migrate(parse_url(url))
        yield url
        runner.run(making.__aexit__(None, None, None))


@pytest.fixture(params=["sqlite", "postgresql"])
async def store_url(request: pytest.FixtureRequest, tmp_path: Path, migrated: str) -> AsyncIterator[str]:
    """A database of the test's own: empty, but that on PostgreSQL one that is opened here has its tables already."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'kefu.db'}"
        return
    like = migrated if "db" in request.fixturenames else None
    async with database(request.getfixturevalue("postgres_server"), like=like) as url:
        yield url


@pytest.fixture
async def db(store_url: str) -> AsyncIterator[Database]:
    database = Database(store_url)
    await database.open()
    yield database
    await database.close()
