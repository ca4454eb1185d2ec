"""A new database's journal is changed by whoever comes first; the others wait, SQLite's own refusals included."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from bot.store.engines import _journal_ahead


class Patient(sqlite3.Connection):
    """Has no busy timeout, so that SQLite refuses at once; whoever holds the file lets go at the second refusal."""

    refused = 0
    holder: sqlite3.Connection

    def execute(self, *args: Any) -> sqlite3.Cursor:
        try:
            return super().execute(*args)
        except sqlite3.OperationalError:
            self.refused += 1
            if self.refused == 2:
                self.holder.rollback()
            raise


def connect(path: Path) -> Patient:
    connection = sqlite3.connect(path, timeout=0, factory=Patient)
    connection.holder = sqlite3.connect(path, isolation_level=None)
    connection.holder.execute("BEGIN EXCLUSIVE")
    return connection


def test_a_refusal_is_tried_again(tmp_path: Path) -> None:
    connection = connect(tmp_path / "kefu.db")
    _journal_ahead(connection, patience=10)
    assert connection.refused == 2
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_patience_ends(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        _journal_ahead(connect(tmp_path / "kefu.db"), patience=0)


def test_what_waiting_does_not_mend_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "kefu.db"
    path.write_bytes(b"no database" * 200)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        _journal_ahead(sqlite3.connect(path), patience=10)
