"""The database, looked at from outside."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from bot.doctor.files import OTHERS
from bot.doctor.finding import Finding, ok, size, warning, wrong
from bot.doctor.setup import PATIENCE_S, Setup
from bot.errors import StoreError
from bot.store.glance import damage, glance, sqlite_path

LARGE_JOURNAL = 256e6
"""Bytes of SQLite's journal from which on something keeps it from being folded into the file."""
RESTORE = "Stop the server and restore a backup: see docs/guide-operator.md, Backup."


def database(setup: Setup) -> Iterator[Finding]:
    path = sqlite_path(setup.settings.database_url)
    if path is None:
        setup.schema()
        yield ok("PostgreSQL answers.")
    elif not path.exists():
        yield ok(f"{path} is made at the first start.")
    else:
        yield from _file(path)


def _file(path: Path) -> Iterator[Finding]:
    if not os.access(path, os.R_OK | os.W_OK):
        yield wrong(f"{path} cannot be read and written by this account.", "Run as the home's owner.")
        return
    yield _whole(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & OTHERS:
        yield warning(f"{path} can be read by others (mode {mode:o}).", f"chmod 600 {path}*")
    journal = path.with_name(f"{path.name}-wal")
    if journal.exists() and (grown := journal.stat().st_size) > LARGE_JOURNAL:
        hint = "Something reads for very long: end other programs that have the file open."
        yield warning(f"its journal has grown to {size(grown)}.", hint)


def _whole(path: Path) -> Finding:
    try:
        # A server that starts while it is read changes it under our eyes: then it is read again.
        found = _damage(path) and _damage(path)
    except StoreError as error:
        if error.code != "slow":
            raise
        return warning(f"{path} is too large to be checked in {PATIENCE_S:.0f} s.", "Check a backup instead.")
    if found:
        return wrong(f"{path} is damaged: {found}.", RESTORE)
    return ok(f"{path}, {size(path.stat().st_size)}, is whole.")


def _damage(path: Path) -> str | None:
    return glance(f"sqlite:///{path.absolute()}", damage, within=PATIENCE_S)


def schema(setup: Setup) -> Iterator[Finding]:
    path = sqlite_path(setup.settings.database_url)
    if path is not None and not path.exists():
        yield ok("made at the first start.")
        return
    match setup.schema():
        case "current":
            yield ok("the schema is this Kefu's.")
        case "behind":
            yield _behind(setup)
        case "newer":
            hint = "Upgrade Kefu, or restore the backup from before."
            yield wrong("the schema is of a later Kefu.", hint)
        case _:
            yield _empty(path)


def _behind(setup: Setup) -> Finding:
    if setup.served():
        hint = "Restart the server: it was started before Kefu was upgraded."
        return wrong("the schema is of an earlier Kefu.", hint)
    return warning("the schema is of an earlier Kefu.", "Back it up; the next start brings it up to date.")


def _empty(path: Path | None) -> Finding:
    if path is not None and path.stat().st_size:
        return wrong(
            f"{path} has no tables of ours.", "Is it Kefu's file? Check KEFU_DATABASE_URL and --home."
        )
    return ok("empty; the first start makes the tables.")
