"""What `kefu doctor` says of the machine."""

from __future__ import annotations

import os
import resource
import shutil
import time
from datetime import UTC, datetime

import pytest
from packaging.requirements import Requirement

from bot.doctor import machine
from bot.doctor.setup import Setup
from bot.settings import survey
from bot.testing import FakeClock
from tests.unit.doctor.conftest import Place


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
