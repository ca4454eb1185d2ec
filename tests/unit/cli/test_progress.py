"""Progress where nobody watches is lines, where somebody does bars; logs are ours."""

from __future__ import annotations

import io
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from bot.cli.progress import shown

ROOT = Path(__file__).resolve().parents[3]
LOGS = """
import logging
from bot.cli.logs import log_to_stderr
log_to_stderr("info")
logging.getLogger("noisy").setLevel(logging.DEBUG)
for name in ("noisy", "noisy.bot", "bot.engine", "retrieval"):
    for level in (logging.DEBUG, logging.INFO, logging.WARNING):
        logging.getLogger(name).log(level, "%s", logging.getLevelName(level).lower())
"""


def test_a_log_gets_a_line_a_stage_and_one_a_quarter() -> None:
    out = io.StringIO()
    with shown(Console(file=out)) as report:
        report("Opening [the] database", 0, 0)
        for done in range(1, 101):
            report("Reading", done, 100)
        report("Fitting", 0, 2)
    assert out.getvalue().splitlines() == [
        "Opening [the] database",
        *(f"Reading: {done} of 100" for done in (1, 25, 50, 75, 100)),
        "Fitting: 0 of 2",
    ]


def test_a_log_says_how_long_a_stage_still_takes_where_that_is_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, now = io.StringIO(), 0.0
    monkeypatch.setattr("bot.cli.progress.time.monotonic", lambda: now)
    with shown(Console(file=out)) as report:
        for done in (6_400, 6_464, 30_000, 99_000):  # an earlier run had encoded the first of them
            report("encoding", done, 100_000)
            now += 20.0
    assert out.getvalue().splitlines() == [
        "encoding: 6400 of 100000",
        "encoding: 6464 of 100000, about 487 min left",
        "encoding: 30000 of 100000, about 2 min left",
        "encoding: 99000 of 100000",
    ]


def test_a_terminal_gets_a_bar_a_stage_and_is_clean_afterwards() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, color_system=None)
    with shown(console) as report:
        report("Opening [it]", 0, 0)
        report("Reading", 1, 4)
        report("Reading", 4, 4)
    bars = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())
    assert re.search(r"✓ Opening \[it\]\s+━+ 100%", bars)
    assert re.search(r"Reading\s+━+ 100%", bars)
    assert out.getvalue().endswith("\x1b[2K")


def test_of_many_stages_the_last_ones_and_the_one_at_work_are_in_sight() -> None:
    out = io.StringIO()
    with shown(Console(file=out, force_terminal=True, width=80, color_system=None)) as report:
        for stage in range(30):
            report(f"stage {stage}", 0, 2)
        out.seek(0)
        out.truncate()
        report("at work", 1, 2)
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue()).splitlines()
    shown_stages = {int(line.split()[2]) for line in last if line.startswith("✓ stage")}
    assert shown_stages <= set(range(21, 30))
    assert any("at work" in line for line in last)


def test_of_libraries_only_warnings_are_logged() -> None:
    done = subprocess.run([sys.executable, "-c", LOGS], cwd=ROOT, capture_output=True, text=True, check=True)
    said = [line.split(" ", 2)[2] for line in done.stderr.splitlines()]
    assert said == [
        "WARNING noisy: warning",
        "WARNING noisy.bot: warning",
        "INFO bot.engine: info",
        "WARNING bot.engine: warning",
        "INFO retrieval: info",
        "WARNING retrieval: warning",
    ]
    assert logging.getLogger("noisy").level == logging.NOTSET
