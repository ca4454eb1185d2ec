"""`kefu doctor` on a set-up that is well, and how it goes on whatever a check meets."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli.main import kefu
from bot.doctor import doors, rounds
from bot.doctor.finding import ok
from bot.doctor.setup import Setup
from tests.unit.doctor.conftest import Place, seen


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
