"""The knowledge in the database, for verbs: written source by source, listed, and taken out again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from bot.cli.rows import Rows, rows_of
from bot.clock import SystemClock
from bot.definition import FOLDER
from bot.definition.sentences import suggestion
from bot.errors import NotFound
from bot.settings import Settings
from bot.store import knowledge, sources
from bot.store.session import Session


@dataclass(frozen=True, slots=True)
class Shelf:
    """Blocking, for code that reads files between its transactions. A rehearsal leaves nothing behind."""

    rows: Rows
    dry_run: bool

    def sync(
        self, source: str, rows: Sequence[knowledge.KnowledgeRow], *, prune: bool
    ) -> knowledge.SyncReport:
        async def unit(session: Session) -> knowledge.SyncReport:
            report = await knowledge.sync(session, source, rows, SystemClock().now(), prune=prune)
            if self.dry_run:
                raise _Rehearsed(report)
            return report

        try:
            return self.rows.write(unit)
        except _Rehearsed as rehearsed:
            return rehearsed.report

    def receipt(self, source: str) -> str | None:
        return self.rows.read(partial(sources.receipt, source=source))

    def keep_receipt(self, source: str, note: str) -> None:
        if not self.dry_run:
            self.rows.write(partial(sources.keep_receipt, source=source, note=note))

    def names(self, source: str) -> list[tuple[str, str]]:
        return self.rows.read(partial(sources.names, source=source))

    def stock(self) -> list[sources.Stock]:
        return self.rows.read(sources.stock)


class _Rehearsed(Exception):
    """Ends a transaction that shall leave nothing behind."""

    def __init__(self, report: knowledge.SyncReport) -> None:
        self.report = report


@contextmanager
def shelf_of(settings: Settings, *, dry_run: bool = False) -> Iterator[Shelf]:
    with rows_of(settings) as rows:
        yield Shelf(rows, dry_run)


def show(settings: Settings) -> None:
    """Every source with its answers."""
    with shelf_of(settings) as shelf:
        stock = shelf.stock()
    table = Table(Column("answers", justify="right"), "changed", Column("source", no_wrap=True), box=None)
    for item in stock:
        table.add_row(str(item.answers), f"{item.changed_at:%Y-%m-%d %H:%M}", escape(item.source))
    Console(soft_wrap=True).print(table)
    if not stock:
        click.echo("The bot has no answers yet.")


def remove(names: Iterable[str], settings: Settings, *, dry_run: bool) -> None:
    """Take sources out. Raises NotFound before anything is written where one has no answers."""
    with shelf_of(settings, dry_run=dry_run) as shelf:
        known = [item.source for item in shelf.stock()]
        for name in names:
            if name not in known:
                raise NotFound(f"No answers come from `{name}`.", hint=suggestion(name, known))
        for name in names:
            count = shelf.sync(name, (), prune=True).removed
            again = "The next start of the server" if name.startswith(FOLDER) else "`kefu ingest`"
            click.echo(f"{name}: {count} answers removed. {again} brings them back from the file.")
    if dry_run:
        click.echo("Nothing was written: this was a dry run.")
