"""The schema's history. Each change of a table comes with a file in `versions/`, numbered, with a way back.

`migrate` brings a database to a revision; two processes that start at once wait for one another. `env.py` is for
Alembic's own commands, such as `command.revision(config(connection), autogenerate=True)`.
"""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import URL, Connection, text

from bot.errors import StoreError
from bot.store.engines import is_sqlite, postgres_engine, sqlite_engine
from bot.store.tables import MESSAGE

_LOCK = 0x6B656675
"""Advisory lock on PostgreSQL; SQLite has BEGIN IMMEDIATE."""


def migrate(url: URL, revision: str = "head", *, busy: float = 30.0) -> None:
    """Up, or down, to `revision` ("base": nothing left), in one transaction. Blocks: call it in a thread.

    Raises StoreError `newer_schema` for a database written by a later Kefu; a driver's errors as they are.
    """
    scripts = ScriptDirectory.from_config(config())
    scripts.get_heads()  # reads the files now, ahead of any loop and any lock
    step = partial(_step, scripts=scripts, revision=revision)
    if not is_sqlite(url):
        asyncio.run(_on_postgres(url, step))
        return
    with sqlite_engine(url, busy=busy, migrating=True).begin() as connection:
        step(connection)


def known_revisions() -> list[str]:
    """Every revision this Kefu can migrate from, oldest first; the last one is the schema of its tables."""
    walked = ScriptDirectory.from_config(config()).walk_revisions()
    return [script.revision for script in walked][::-1]


def config(connection: Connection | None = None) -> Config:
    """Alembic's settings, without a file."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    return settings


def options(connection: Connection) -> dict[str, Any]:
    """How Alembic works on our databases."""
    return {
        "connection": connection,
        "target_metadata": MESSAGE.metadata,
        # Both databases take a table's creation back; Alembic would not ask SQLite to.
        "transactional_ddl": True,
        "render_as_batch": connection.dialect.name == "sqlite",
    }


async def _on_postgres(url: URL, step: partial[None]) -> None:
    engine = postgres_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            await connection.run_sync(step)
    finally:
        await engine.dispose()


def _step(connection: Connection, *, scripts: ScriptDirectory, revision: str) -> None:
    def plan(current: Any, _: object) -> Any:
        return _way(scripts, current, revision)(revision, current)

    environment = EnvironmentContext(config(), scripts)
    environment.configure(**options(connection), fn=plan)
    try:
        with environment.begin_transaction():
            environment.run_migrations()
    except CommandError as error:
        raise StoreError(
            f"The database's schema is not one of ours ({error}).",
            hint="It was written by a later Kefu: upgrade Kefu, or restore the backup from before.",
            code="newer_schema",
        ) from error


def _way(scripts: ScriptDirectory, current: Any, revision: str) -> Any:
    """Down to what `current` came from, up to everything else."""
    if revision not in ("head", "base"):
        passed = {script.revision for script in scripts.iterate_revisions(current or "base", "base")}
        return scripts._downgrade_revs if revision in passed - set(current) else scripts._upgrade_revs
    return scripts._downgrade_revs if revision == "base" else scripts._upgrade_revs
