"""What `kefu doctor` says of the database."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest

from bot.home import home_lock
from bot.store.migrations import known_revisions
from tests.unit.doctor.conftest import Place, change


def test_a_damaged_database(place: Place) -> None:
    size = place.database.stat().st_size
    with place.database.open("r+b") as stream:
        stream.seek(4_096)
        stream.write(os.urandom(size - 8_192))
    report = place.doctor()
    assert "database" in report.wrong
    assert "restore a backup" in report["database"][1]


def test_a_file_that_is_no_database(place: Place) -> None:
    place.database.write_text("my diary " * 2_000)
    report = place.doctor()
    assert {"database", "schema"} <= report.wrong
    assert "not a database of ours" in report["database"][1]


def test_a_database_that_others_read(place: Place) -> None:
    place.database.chmod(0o640)
    assert "(mode 640)" in place.doctor()["database"][1]


@pytest.mark.parametrize(
    ("version", "served", "state", "words"),
    [
        ("9999", False, "wrong", "of a later Kefu"),
        ("", False, "wrong", "no tables of ours"),
    ],
)
def test_migrations(place: Place, version: str, served: bool, state: str, words: str) -> None:
    change(
        place,
        f"UPDATE alembic_version SET version_num = '{version}'" if version else "DROP TABLE alembic_version",
    )
    report = place.doctor()
    assert report["schema"][0] == state
    assert words in report["schema"][1]
    assert "agreement" not in report.wrong


def test_a_schema_that_is_behind(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.store.glance.known_revisions", lambda: [*known_revisions(), "9999"])
    state, text = place.doctor()["schema"]
    assert (state, "the next start brings it up to date" in text) == ("warning", True)
    with home_lock(place.home):
        state, text = place.doctor()["schema"]
    assert (state, "Restart the server" in text) == ("wrong", True)


def test_a_writer_is_neither_held_up_nor_waited_for(place: Place) -> None:
    with closing(sqlite3.connect(place.database, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE meta SET value = value")
        report = place.doctor()
        writer.execute("COMMIT")
    assert report.wrong == set()


def test_a_postgresql_that_is_not_there(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEFU_DATABASE_URL", "postgresql://kefu:sesame@127.0.0.1:9/kefu?ssl=disable")
    report = place.doctor()
    assert report["database"][0] == "wrong"
    assert "does not answer" in report["database"][1]
    assert "sesame" not in str(report.lines)
