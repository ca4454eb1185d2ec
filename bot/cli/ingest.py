"""`kefu ingest`: files into the knowledge of a bot, with an account of every row that was not taken."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import click
from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table

from bot.cli.progress import shown
from bot.cli.sources import see_others, sources
from bot.clock import SystemClock
from bot.definition import Checks, KnowledgeRow, Problem, load, read_knowledge
from bot.settings import Settings
from bot.store import knowledge as shelf
from bot.store.db import Database
from bot.store.session import Session

PART = 20_000
"""Rows a transaction: a running server waits for a part, not for a file."""

NUMBERS = ("added", "changed", "unchanged", "removed", "skipped")


@dataclass(slots=True)
class Tally:
    """What became of the rows of one file."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: int = 0

    @property
    def taken(self) -> int:
        return self.added + self.changed + self.unchanged

    def count(self, report: shelf.SyncReport) -> None:
        self.added += report.added
        self.changed += report.changed
        self.unchanged += report.unchanged
        self.removed += report.removed


class Sync(Protocol):
    def __call__(
        self, source: str, rows: Sequence[shelf.KnowledgeRow], *, prune: bool
    ) -> shelf.SyncReport: ...


def run(paths: Iterable[Path], settings: Settings, *, prune: bool, dry_run: bool) -> bool:
    """False where rows were skipped. Raises KefuError where folder, kind of file or database is wrong."""
    bot = load(settings.bot, knowledge=False)
    files = sources(paths, settings.bot)
    checks = Checks(frozenset(bot.intents), bot.languages)
    see_others(settings.bot, files, checks)
    tallies: dict[str, Tally] = {}
    with _shelf(settings, dry_run=dry_run) as sync, shown(Console(stderr=True)) as progress:
        for source, path in files.items():
            tally = tallies[str(path)] = Tally()
            for part in _parts(_taken(checks.apply(read_knowledge(path)), tally), whole=prune):
                progress(path.name, tally.taken + len(part), 0)
                # A row that is broken today is not a row that was taken out.
                tally.count(sync(source, part, prune=prune and not tally.skipped))
    _account(tallies, prune=prune, dry_run=dry_run)
    return not any(tally.skipped for tally in tallies.values())


def _taken(rows: Iterable[KnowledgeRow | Problem], tally: Tally) -> Iterator[shelf.KnowledgeRow]:
    for row in rows:
        if isinstance(row, Problem):
            tally.skipped += 1
            click.echo(f"skipped {row}", err=True)
        else:
            yield shelf.from_entry(row.entry)


def _parts(rows: Iterator[shelf.KnowledgeRow], *, whole: bool) -> Iterator[list[shelf.KnowledgeRow]]:
    """At least one, maybe empty. Pruning compares with the whole file at once."""
    part = list(rows if whole else islice(rows, PART))
    yield part
    while not whole and (part := list(islice(rows, PART))):
        yield part


@contextmanager
def _shelf(settings: Settings, *, dry_run: bool) -> Iterator[Sync]:
    """The database, for code that reads files between its transactions."""
    store = Database(settings.database_url)
    with asyncio.Runner() as runner:
        runner.run(store.open())

        def sync(source: str, rows: Sequence[shelf.KnowledgeRow], *, prune: bool) -> shelf.SyncReport:
            return runner.run(_sync(store, source, rows, prune=prune, dry_run=dry_run))

        try:
            yield sync
        finally:
            runner.run(store.close())


class _Rehearsed(Exception):
    """Ends a transaction that shall leave nothing behind."""

    def __init__(self, report: shelf.SyncReport) -> None:
        self.report = report


async def _sync(
    store: Database, source: str, rows: Sequence[shelf.KnowledgeRow], *, prune: bool, dry_run: bool
) -> shelf.SyncReport:
    async def unit(session: Session) -> shelf.SyncReport:
        report = await shelf.sync(session, source, rows, SystemClock().now(), prune=prune)
        if dry_run:
            raise _Rehearsed(report)
        return report

    try:
        return await store.write(unit)
    except _Rehearsed as rehearsed:
        return rehearsed.report


def _account(tallies: Mapping[str, Tally], *, prune: bool, dry_run: bool) -> None:
    table = Table(
        *(Column(name, justify="right") for name in NUMBERS), Column("file", no_wrap=True), box=None
    )
    for file, tally in tallies.items():
        table.add_row(*(str(getattr(tally, name)) for name in NUMBERS), file)
    # As wide as it needs: a cut or folded path cannot be copied.
    Console(width=60 + max(map(cell_len, tallies))).print(table)
    if prune and any(tally.skipped for tally in tallies.values()):
        click.echo("Nothing was removed for files with skipped rows: mend those rows first.")
    if dry_run:
        click.echo("Nothing was written: this was a dry run.")
