"""The home's lock: one server a home, and whether there is one."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from bot.errors import HomeError

LOCK = "serve.lock"
PATIENCE_S = 0.3
"""Somebody who only looks whether a server runs (`is_served`) holds the lock for much less."""


@contextmanager
def home_lock(home: Path) -> Iterator[None]:
    """One server a home: two would answer the same messages. Makes the home where it is missing; HomeError."""
    lock = FileLock(home / LOCK)
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock.acquire(timeout=PATIENCE_S)
    except Timeout:
        hint = "Stop it, or give this one its own home: --home FOLDER."
        raise HomeError(f"Another server already uses {home}.", hint=hint) from None
    except OSError as error:
        hint = "Give the server a folder that it may write: --home FOLDER."
        raise HomeError(f"{home}: {error.strerror}.", hint=hint, code="home_unwritable") from error
    try:
        yield
    finally:
        lock.release()


def is_served(home: Path) -> bool:
    """Whether a server holds the home's lock. Writes nothing. Raises OSError where the lock cannot be read."""
    try:
        stream = (home / LOCK).open("rb")
    except FileNotFoundError:
        return False
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
