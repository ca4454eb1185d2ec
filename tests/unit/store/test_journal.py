"""A new database's journal is changed by whoever comes first; the others wait, SQLite's own refusals included."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
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


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Patient]:
    path = tmp_path / "kefu.db"
    with (
        closing(sqlite3.connect(path, timeout=0, factory=Patient)) as connection,
        closing(sqlite3.connect(path, isolation_level=None)) as connection.holder,
    ):
        connection.holder.execute("BEGIN EXCLUSIVE")
        yield connection


def test_a_refusal_is_tried_again(patient: Patient) -> None:
    _journal_ahead(patient, patience=10)
    assert patient.refused == 2
    assert patient.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_patience_ends(patient: Patient) -> None:
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        _journal_ahead(patient, patience=0)


def test_what_waiting_does_not_mend_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "kefu.db"
    path.write_bytes(b"no database" * 200)
    with (
        closing(sqlite3.connect(path)) as connection,
        pytest.raises(sqlite3.DatabaseError, match="not a database"),
    ):
        _journal_ahead(connection, patience=10)
