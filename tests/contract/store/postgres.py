"""A PostgreSQL server of the tests' own: a folder, a socket, an account without rights, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ACCOUNT = "postgres"
"""PostgreSQL refuses to run as root; any other user runs it as itself."""


@contextmanager
def private_server() -> Iterator[str]:
    """Yields the URL of a running server in which every database may be made. Needs the machine's binaries."""
    tools = _tools()
    folder = Path(tempfile.mkdtemp(prefix="kefu-pg-"))
    user = _account(folder)
    try:
        data = folder / "data"
        _run([tools / "initdb", "-D", data, "-U", "kefu", "-A", "trust", "-E", "UTF8", "--no-sync"], user)
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}'"
        _run([tools / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start"], user)
        try:
            # Nobody asks for the password, but without one asyncpg looks for a file on the event loop.
            yield f"postgresql://kefu:kefu@/postgres?host={folder}"
        finally:
            _run([tools / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop"], user)
    finally:
        shutil.rmtree(folder)


def _tools() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    assert found, "No PostgreSQL here: install it, or give the URL of a running one."
    return found[-1]


def _account(folder: Path) -> str | None:
    if os.geteuid() != 0:
        return None
    shutil.chown(folder, ACCOUNT, pwd.getpwnam(ACCOUNT).pw_gid)
    return ACCOUNT


def _run(command: list[str | Path], user: str | None) -> None:
    # pg_ctl's server inherits the pipes; a file does not keep the caller waiting for their end.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(command, user=user, cwd="/", stdout=said, stderr=said, check=False)
        said.seek(0)
        assert done.returncode == 0, said.read().decode()
