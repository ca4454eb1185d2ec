"""`kefu doctor`: what is wrong with a set-up, one line a check."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from bot.doctor.rounds import Told, examine
from bot.doctor.setup import Setup
from bot.settings import survey

COLOURS = {"ok": "green", "warning": "yellow", "wrong": "bold red"}


def run(*, as_json: bool, bot: Path | None, home: Path | None) -> bool:
    """False where something is wrong."""
    setup = Setup(*survey(bot=bot, home=home))
    console, states = Console(soft_wrap=True), []
    with _waiting() as (begin, end):
        for told in examine(setup, begin=begin):
            end()
            click.echo(_json(told)) if as_json else _show(console, told)
            states.append(told.finding.state)
    if not as_json:
        click.echo(_sum(states.count("wrong"), states.count("warning")))
    return "wrong" not in states


@contextmanager
def _waiting() -> Iterator[tuple[Callable[[str], None], Callable[[], None]]]:
    """(name a check that begins, stop naming it): in a terminal, for checks that take long."""
    console = Console(stderr=True)
    status = console.status("")

    def begin(check: str) -> None:
        if console.is_terminal:
            status.update(f"Checking {check}")
            status.start()

    try:
        yield begin, status.stop
    finally:
        status.stop()


def _json(told: Told) -> str:
    finding = told.finding
    return json.dumps(
        {
            "check": told.check,
            "state": finding.state,
            "text": finding.text,
            "hint": finding.hint,
            "ms": round(told.ms),
        },
        ensure_ascii=False,
    )


def _show(console: Console, told: Told) -> None:
    finding = told.finding
    state = f"[{COLOURS[finding.state]}]{finding.state:<7}[/]"
    console.print(f"{state}  {told.check:<10}  {escape(finding.text)}", highlight=False)
    if finding.hint:
        console.print(f"{'':<21}→ {escape(finding.hint)}", highlight=False)


def _sum(wrong: int, warnings: int) -> str:
    if wrong:
        return f"{wrong} wrong, {warnings} to look at."
    return f"Nothing is wrong; {warnings} to look at." if warnings else "All is well."
