"""`kefu escalations`: who waits for a person; closing one gives its conversation back to the bot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.cli.rows import expect_database, rows_of
from bot.clock import SystemClock
from bot.definition.text import one_line
from bot.settings import Settings
from bot.store import escalations

LIMIT = 1_000
"""Cases listed at once."""


def run(settings: Settings, *, as_json: bool, close_id: str | None) -> None:
    """Raises KefuError: no database, no such case, closed already."""
    expect_database(settings.database_url)
    now = SystemClock().now()
    with rows_of(settings) as rows:
        if close_id is not None:
            conversation = rows.write(partial(escalations.close, case=close_id, now=now))
            click.echo(f"Closed. The bot answers in conversation {conversation} again.")
            return
        cases = rows.read(partial(escalations.list_open, now=now, limit=LIMIT))
    if as_json:
        for case in cases:
            click.echo(_line(case))
    else:
        _show(cases)


def _line(case: escalations.OpenCase) -> str:
    return json.dumps(
        {
            "id": case.id,
            "conversation": case.conversation,
            "seq": case.seq,
            "reason": case.reason,
            "lang": case.lang,
            "last_text": case.last_text,
            "at": case.at.isoformat(),
            "age_s": int(case.age.total_seconds()),
        },
        ensure_ascii=False,
    )


def _show(cases: Sequence[escalations.OpenCase]) -> None:
    if not cases:
        click.echo("Nobody waits for a person.")
        return
    table = Table("age", "language", "conversation", "reason", "last words of the customer", "id", box=None)
    for name in (2, 5):
        table.columns[name].no_wrap = True
    for case in cases:
        words = escape(one_line(case.last_text, 60))
        table.add_row(age(case.age), case.lang or "", case.conversation, escape(case.reason), words, case.id)
    Console().print(table)
    more = f"; the first {LIMIT} are shown" if len(cases) == LIMIT else ""
    click.echo(f"{len(cases)} waiting{more}. `kefu escalations --close ID` gives one back to the bot.")


def age(waited: timedelta) -> str:
    """The two largest units: 2 d 3 h, 4 min 5 s."""
    hours, rest = divmod(max(int(waited.total_seconds()), 0), 3600)
    units = ((hours // 24, "d"), (hours % 24, "h"), (rest // 60, "min"), (rest % 60, "s"))
    return " ".join([f"{number} {unit}" for number, unit in units if number][:2]) or "0 s"
