"""The same tests on each database: SQLite, and a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.store.columns import Row
from bot.store.db import Database
from bot.store.engines import parse_url
from bot.store.migrations import migrate
from tests.postgres import database, keep, put_back


@pytest.fixture(scope="session")
def migrated(postgres_server: str) -> Iterator[str]:
    """A database of today's schema, which one test after the other gets: that takes a fraction of making one."""
    making = database(postgres_server)
    with asyncio.Runner() as runner:
        url = runner.run(making.__aenter__())
        migrate(parse_url(url))
        runner.run(keep(url, Row.metadata.tables))
        yield url
        runner.run(making.__aexit__(None, None, None))


@pytest.fixture(params=["sqlite", "postgresql"])
async def store_url(request: pytest.FixtureRequest, tmp_path: Path, migrated: str) -> AsyncIterator[str]:
    """A database that nobody wrote to. On PostgreSQL it has its tables already where it is opened as `db`."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'kefu.db'}"
    elif "db" in request.fixturenames:
        await put_back(migrated, Row.metadata.tables)
        yield migrated
    else:
        async with database(request.getfixturevalue("postgres_server")) as url:
            yield url


@pytest.fixture
async def db(store_url: str) -> AsyncIterator[Database]:
    database = Database(store_url)
    await database.open()
    yield database
    await database.close()
