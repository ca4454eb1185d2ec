"""The same tests on each database.

SQLite always. PostgreSQL where the environment names one in TEST_POSTGRES: the URL of a server whose account may
create databases, or `private` for a server that the tests start themselves. (The root conftest takes KEFU_* away.)
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.store.db import Database
from tests.contract.store.postgres import private_server

_POSTGRES = os.environ.get("TEST_POSTGRES", "")
_KINDS = ["sqlite", "postgresql"] if _POSTGRES else ["sqlite"]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    if _POSTGRES != "private":
        yield _POSTGRES
        return
    with private_server() as url:
        yield url


@pytest.fixture(params=_KINDS)
async def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database of the test's own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'kefu.db'}"
        return
    async with _database(request.getfixturevalue("postgres_server")) as url:
        yield url


@pytest.fixture
async def db(store_url: str) -> AsyncIterator[Database]:
    database = Database(store_url)
    await database.open()
    yield database
    await database.close()


@asynccontextmanager
async def _database(server: str) -> AsyncIterator[str]:
    url = make_url(server).set(drivername="postgresql+asyncpg")
    name = f"kefu_{secrets.token_hex(8)}"
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
        yield url.set(database=name).render_as_string(hide_password=False)
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    await engine.dispose()
