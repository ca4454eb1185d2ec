"""`kefu doctor` on a set-up that is well, and on one with each thing broken."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from packaging.requirements import Requirement

from bot.cli.main import kefu
from bot.doctor import doors, files, machine, rounds
from bot.doctor.finding import ok
from bot.doctor.setup import Setup
from bot.home import home_lock, is_served
from bot.settings import survey
from bot.store.migrations import known_revisions
from bot.testing import FakeClock
from retrieval.onnx_encoder import OnnxEncoder
from retrieval.testing import HashEncoder
from tests.unit.doctor.conftest import Place, flip, keep
from training.promise import Bound


def change(place: Place, statement: str) -> None:
    """Behind Kefu's back."""
    with closing(sqlite3.connect(place.database)) as connection, connection:
        connection.execute(statement)


def seen(place: Place) -> dict[str, tuple[int, int]]:
    """Every file under home and cache, with when it was written and its size."""
    both = [*place.home.rglob("*"), *place.cache.rglob("*")]
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in both}


def test_a_healthy_set_up_is_all_well_and_nothing_is_touched(place: Place) -> None:
    before = seen(place)
    report = place.doctor()
    assert (report.code, report.wrong) == (0, set())
    assert report["agreement"] == ("ok", "index and database say the same 2 answers. ")
    assert report["folder"][1].endswith("1 intents, 0 answers in zh, 2 answers in en. ")
    assert {line["check"] for line in report.lines} == {
        path.partition(".")[2].replace("_", " ") for path in rounds.CHECKS
    }
    assert seen(place) == before


def test_a_bot_that_was_never_served_is_well_too(place: Place) -> None:
    shutil.rmtree(place.home)
    shutil.rmtree(place.cache)
    report = place.doctor()
    assert report.wrong == set()
    assert report["home"][1] == f"{place.home} is made at the first start. "
    assert not place.home.exists()
    assert not place.cache.exists()


def test_lines_for_people_say_what_to_do(place: Place) -> None:
    (place.home / "secret").chmod(0o644)
    done = CliRunner().invoke(kefu, ["doctor", str(place.bot)], terminal_width=300)
    lines = done.stdout.splitlines()
    assert done.exit_code == 1
    at = next(i for i, line in enumerate(lines) if line.startswith("wrong"))
    assert lines[at].split()[:2] == ["wrong", "secret"]
    assert lines[at + 1].strip().startswith("→ chmod 600")
    assert lines[-1].startswith("1 wrong, ")


def test_every_bad_setting_is_told_and_the_other_checks_go_on(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEFU_TURN_DEADLINE_S", "soon")
    monkeypatch.setenv("KEFU_GENERATOR", "openai")
    monkeypatch.setenv("KEFU_RATE_PER_MINUT", "3")
    monkeypatch.setenv("KEFU_SECRET", "sesame")
    report = place.doctor()
    state, text = report["settings"]
    assert (report.code, state) == (1, "wrong")
    for name in ("TURN_DEADLINE_S", "RATE_PER_MINUT", "SECRET"):
        assert f"KEFU_{name}: " in text
    assert "sesame" not in text
    assert report["agreement"][0] == "ok"
    assert os.environ["KEFU_TURN_DEADLINE_S"] == "soon"


def test_what_a_generator_lacks_is_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEFU_GENERATOR", "openai")
    report = place.doctor()
    assert "KEFU_GENERATOR_URL: is needed by KEFU_GENERATOR=openai" in report["settings"][1]


def test_a_mistake_in_the_folder_is_named_with_its_line(place: Place) -> None:
    (place.bot / "bot.yml").write_text("name: {en: X}\nlanguages: [en]\nwelcome: {en: Hi}\nchanels: []\n")
    report = place.doctor()
    assert "bot.yml:4:" in report["folder"][1]
    assert report.wrong == {"folder"}
    assert report["heads"] == ("warning", "not checked: the bot folder is not to be had. Mend that first.")


def test_a_question_under_two_topics_is_pointed_out(place: Place) -> None:
    path = place.bot / "knowledge" / "faq.jsonl"
    path.write_text(path.read_text() + '{"id": "x", "question": "When are you open?", "answer": "Never."}\n')
    assert "`when are you open" in place.doctor()["folder"][1].lower()


def test_what_of_a_document_cannot_be_used_is_told_and_a_broken_one_is_wrong(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    (place.bot / "knowledge" / "codes.md").write_text("# 12-34\n\n56 78 90.\n")
    state, text = place.doctor()["folder"]
    assert (state, "codes.md: the language of" in text) == ("warning", True)
    assert "codes.md" not in caplog.text
    (place.bot / "knowledge" / "policy.pdf").write_bytes(b"%PDF-1.7 and then nothing")
    state, text = place.doctor()["folder"]
    assert (state, "policy.pdf" in text) == ("wrong", True)


def test_documents_are_read_and_nothing_is_remembered_or_forgotten(place: Place) -> None:
    (place.bot / "knowledge" / "policy.md").write_text("# Returns\n\nWithin thirty days.\n")
    kept = place.home / "documents"
    kept.mkdir()
    (kept / "old.jsonl").write_text("")
    os.utime(kept / "old.jsonl", (0, 0))
    before = seen(place)
    assert "3 answers in en" in place.doctor()["folder"][1]
    assert seen(place) == before


# The home ------------------------------------------------------------------------------------------------------


def test_a_server_on_the_home_is_seen_and_not_disturbed(place: Place) -> None:
    with home_lock(place.home):
        assert "a server runs on it" in place.doctor()["home"][1]
    assert "no server runs on it" in place.doctor()["home"][1]
    with home_lock(place.home):
        assert is_served(place.home)


def test_a_home_that_is_no_folder(place: Place) -> None:
    state, text = place.doctor("--home", str(place.database))["home"]
    assert (state, "is not a folder" in text) == ("wrong", True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_files_of_another_account_are_named(place: Place) -> None:
    os.chown(place.database, 65_534, -1)
    state, text = place.doctor()["home"]
    assert (state, "kefu.db in" in text, "chown -R" in text) == ("wrong", True, True)


def test_a_secret_cut_short(place: Place) -> None:
    (place.home / "secret").write_text("short")
    state, text = place.doctor()["secret"]
    assert (state, "is cut short" in text, "short\n" in text) == ("wrong", True, False)


def test_what_a_crash_left_is_named_once_nobody_works_on_it(place: Place) -> None:
    torn = place.home / "bundles" / ".00000001-abc.x1"
    torn.mkdir()
    assert place.doctor()["leftovers"][0] == "ok"
    long_ago = time.time() - 2 * files.SETTLED_S
    os.utime(torn, (long_ago, long_ago))
    assert place.doctor()["leftovers"] == (
        "warning",
        f"left by work that was broken off: {torn}. They may be deleted.",
    )


# The database --------------------------------------------------------------------------------------------------


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


# What answers --------------------------------------------------------------------------------------------------


def test_a_changed_byte_in_the_index(place: Place) -> None:
    flip(place.bundle / "vectors.npy")
    report = place.doctor()
    assert report.wrong == {"index"}
    assert "vectors.npy has changed" in report["index"][1]
    assert report["agreement"] == ("warning", "not checked: the index is not to be had. Mend that first.")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM knowledge WHERE key = 'open'", "(1 deleted), as of open."),
        ("UPDATE knowledge SET active = 0 WHERE key = 'post'", "(1 deleted), as of post."),
        ("UPDATE knowledge SET answer = 'Nine yuan.' WHERE key = 'post'", "(1 changed), as of post."),
        (
            "UPDATE knowledge SET id = 'other' WHERE key = 'post'",
            "(1 missing, 1 deleted), as of post, post.",
        ),
    ],
)
def test_rows_changed_behind_the_index(place: Place, statement: str, words: str) -> None:
    change(place, statement)
    report = place.doctor()
    assert "agreement" in report.wrong
    assert words in report["agreement"][1]
    assert "Restart the server" in report["agreement"][1]


def test_an_index_that_is_still_to_be_made(place: Place) -> None:
    change(place, "UPDATE meta SET value = '7' WHERE key = 'knowledge_revision'")
    assert place.doctor()["index"] == ("ok", "the next start makes it, of 2 answers. ")
    with home_lock(place.home):
        assert place.doctor()["index"][0] == "warning"


def test_heads_whose_file_has_changed_and_those_of_other_examples(place: Place) -> None:
    assert "too few phrasings" in place.doctor()["heads"][1]
    [made] = (place.home / "releases").iterdir()
    flip(made / "heads.safetensors")
    assert "heads.safetensors has changed" in place.doctor()["heads"][1]
    (place.bot / "intents.yml").write_text("intents: {place: {examples: {en: [where is it]}}}")
    assert place.doctor()["heads"] == ("ok", "the next start learns these examples, in seconds. ")
    with home_lock(place.home):
        assert place.doctor()["heads"][0] == "warning"


def test_where_a_promise_holds_and_what_is_lacking_where_it_does_not(place: Place) -> None:
    keep(
        place,
        "promise: {wrong: 3%}\n",
        {"en": Bound(0.9, 400, answered=200), "zh": Bound(None, 12, missing=140)},
    )
    state, text = place.doctor()["promise"]
    assert state == "warning"
    assert "English: answers from 90 % sure on, 50 % of the 400 texts" in text
    assert "Chinese: answers stored questions and buttons alone, as 140 more phrasings are needed" in text
    assert "Write 140 more phrasings" in text
    [made] = (path.name for path in (place.home / "releases").iterdir() if (path / "promise.json").exists())
    about = {"release": f"base/{made}", "lang": "en", "answered": 90, "wrong": 14, "promised": 0.03}
    for subject, told in (("a", about), ("b", about | {"release": "base/heads-of-yesterday", "wrong": 15})):
        row = f"('{subject}', 'promise', '{subject}', '{json.dumps(told)}', '2026-03-01 12:30:00')"
        change(place, f"INSERT INTO alert (id, kind, subject, about, opened_at) VALUES {row}")
    text = place.doctor()["promise"][1]
    assert "English: the promise slipped, 14 of 90 answers were wrong to their customers, where 3 %" in text
    assert "since 2026-03-01 12:30 UTC" in text
    assert "15 of 90" not in text


def test_without_a_promise_there_is_none_to_look_at(place: Place) -> None:
    assert place.doctor()["promise"] == ("ok", "bot.yml makes none: the policy's thresholds decide. ")
    with (place.bot / "bot.yml").open("a") as file:
        file.write("promise: {wrong: 5%}\n")
    assert place.doctor()["promise"] == ("ok", "the next start learns how to keep 5 %. ")


def test_an_encoder_whose_file_has_changed(place: Place) -> None:
    flip(place.encoder / "encoder.onnx")
    report = place.doctor()
    assert report.wrong == {"encoder"}
    assert "encoder.onnx has changed" in report["encoder"][1]


def test_vectors_that_are_not_of_length_one(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = HashEncoder()
    monkeypatch.setattr(broken, "encode", lambda texts: np.full((len(texts), 64), np.nan, np.float32))
    monkeypatch.setattr(OnnxEncoder, "open", lambda folder, threads: broken)
    assert "not of length 1" in place.doctor()["encoder"][1]


def test_no_encoder_and_nothing_to_make_one(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(place.encoder)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    report = place.doctor()
    assert (report["encoder"][0], "`train` extra" in report["encoder"][1]) == ("wrong", True)


# The machine ---------------------------------------------------------------------------------------------------


def test_libraries_and_python_are_compared_with_what_kefu_wants() -> None:
    wants = [
        "click>=999",
        "no-such-library-of-ours",
        "pytest",
        "numpy>=1",
        'asyncpg>=999; extra == "postgres"',
    ]
    needed = [Requirement(want) for want in wants]
    told = machine.unfit(needed, set())
    assert [text.split()[0] for text in told] == ["click", "no-such-library-of-ours"]
    assert len(machine.unfit(needed, {"postgres"})) == 3
    assert machine.unfit_python(">=3.11,<3.14", "3.10.4") == ["Python 3.10.4, and Kefu wants >=3.11,<3.14."]
    assert machine.unfit_python(">=3.11,<3.14", "3.12.1") == []


def test_a_clock_that_is_wrong(place: Place) -> None:
    def said(clock: FakeClock) -> tuple[str, str]:
        [found] = machine.clock(Setup(*survey(bot=place.bot), clock=clock))
        return found.state, found.text

    assert said(FakeClock(datetime(1970, 1, 1, tzinfo=UTC)))[0] == "wrong"
    assert "still to come" in said(FakeClock(datetime(2026, 11, 2, tzinfo=UTC)))[1] or time.time() < 1.79e9
    later = time.time() + 3_600
    os.utime(place.database, (later, later))
    assert "still to come" in place.doctor()["clock"][1]


def test_a_disk_without_room_and_a_machine_without_memory(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 10**6))
    monkeypatch.setattr(machine, "available", lambda: 2e8)
    report = place.doctor()
    assert report.wrong == {"disk", "memory"}
    assert "1 MB free for the home, and a rebuild needs 500 MB" in report["disk"][1]


def test_few_open_files(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda what: (1_024, 4_096))
    assert "fewer than 1024 customers" in place.doctor()["open files"][1]


def test_a_home_of_somebody_else_is_told_by_every_check_that_needs_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path / "serve.lock"))

    monkeypatch.setattr("bot.home.is_served", refuse)
    report = place.doctor()
    assert report["home"] == (
        "wrong",
        f"{place.home / 'serve.lock'}: Permission denied. Run as the home's owner.",
    )
    assert report["memory"][0] == "warning"
    assert report["agreement"][0] == "ok"


def test_a_check_that_fails_itself_stops_no_other(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(setup: Setup):  # type: ignore[no-untyped-def]
        yield ok("half of it.")
        raise ZeroDivisionError("sesame")

    monkeypatch.setattr(doors, "widget", broken)
    report = place.doctor()
    assert report["widget"] == (
        "wrong",
        "half of it.  the check itself failed (ZeroDivisionError). Mend what is wrong above first.",
    )
    assert report.lines[-1]["check"] == "port"
