"""`kefu ingest`: files into the knowledge of a bot, with an account of every row that was not taken."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import click
from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table

from bot.cli.progress import shown
from bot.cli.shelf import Shelf, shelf_of
from bot.cli.sources import Sources, see_others, sources
from bot.definition import FOLDER, Checks, KnowledgeRow, Problem, is_document, load, read_knowledge
from bot.documents import MAX_BYTES, MAX_PASSAGES, DocumentReader, digest
from bot.documents.parse import VERSION
from bot.inference.child import Progress
from bot.settings import Settings
from bot.store import knowledge

PART = 2 * MAX_PASSAGES
"""Rows a transaction: a running server waits for a part, not for a file. A document is always one part."""

READERS = "2"
"""Changes whenever the same file would give other rows: then it is read again."""

NUMBERS = ("added", "changed", "unchanged", "removed", "skipped")


@dataclass(slots=True)
class Tally:
    """What became of the rows of one file."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: int = 0
    broken: int = 0
    """Skipped rows that may have been good ones before."""

    @property
    def taken(self) -> int:
        return self.added + self.changed + self.unchanged

    def count(self, report: knowledge.SyncReport) -> None:
        self.added += report.added
        self.changed += report.changed
        self.unchanged += report.unchanged
        self.removed += report.removed

    def skip(self, problem: Problem) -> None:
        self.skipped += 1
        self.broken += not problem.minor
        click.echo(f"skipped {problem}", err=True)


@dataclass(frozen=True, slots=True)
class Run:
    """What all files of one command share. `context`: what else than a file decides what becomes of it."""

    shelf: Shelf
    checks: Checks
    documents: DocumentReader
    progress: Progress
    prune: bool
    context: str

    def take(self, source: str, path: Path) -> Tally:
        self.progress(path.name, 0, 0)
        note = self._note(path)
        if note and (names := self._unchanged(source, note)) is not None:
            self.checks.seen.update(dict.fromkeys(names, source))
            return Tally(unchanged=len(names))
        tally = self._read(source, path)
        if note and not tally.skipped:
            self.shelf.keep_receipt(source, note)
        return tally

    def _read(self, source: str, path: Path) -> Tally:
        tally = Tally()
        name = source.removeprefix(FOLDER)
        rows = self.checks.apply(read_knowledge(path, name=name, documents=self.documents))
        for part in _parts(_taken(rows, tally), whole=self.prune):
            self.progress(path.name, tally.taken + len(part), 0)
            # A document says all there is to say; a table may be one of several. What is broken today was not
            # taken out.
            prune = (self.prune or _prose(part)) and not tally.broken
            rows_of_part = [knowledge.from_entry(row.entry) for row in part]
            tally.count(self.shelf.sync(source, rows_of_part, prune=prune))
        return tally

    def _note(self, path: Path) -> str | None:
        """Equal where nothing is different: the file, how it is read, the bot, and whether rows are pruned."""
        try:
            if is_document(path) and path.stat().st_size > MAX_BYTES:
                return None
            return f"{digest(path)}.{self.context}.{self.prune:d}"
        except OSError:
            return None

    def _unchanged(self, source: str, note: str) -> list[tuple[str, str]] | None:
        """Names of the answers of a source that need not be read again; None where it must be."""
        if self.shelf.receipt(source) != note:
            return None
        names = self.shelf.names(source)
        return None if any(name in self.checks.seen for name in names) else names


def _context(checks: Checks) -> str:
    told = [READERS, VERSION, sorted(checks.intents), checks.languages, sorted(checks.seen)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


def run(paths: Iterable[Path], settings: Settings, *, prune: bool, dry_run: bool) -> bool:
    """False where something was skipped. Raises KefuError where folder, kind of file or database is wrong."""
    bot = load(settings.bot, knowledge=False)
    found = sources(paths, settings.bot)
    checks = Checks(frozenset(bot.intents), bot.languages)
    with DocumentReader(settings.documents) as documents:
        see_others(settings.bot, found.files, checks, documents)
        with shelf_of(settings, dry_run=dry_run) as shelf, shown(Console(stderr=True)) as progress:
            work = Run(shelf, checks, documents, progress, prune, _context(checks))
            tallies = _take_all(work, found)
    _account(tallies, prune=prune, dry_run=dry_run)
    return not found.passed_over and not any(tally.skipped for tally in tallies.values())


def _take_all(work: Run, found: Sources) -> dict[str, Tally]:
    for line in found.passed_over:
        click.echo(f"skipped {line}", err=True)
    return {str(path): work.take(source, path) for source, path in found.files.items()}


def _taken(rows: Iterable[KnowledgeRow | Problem], tally: Tally) -> Iterator[KnowledgeRow]:
    for row in rows:
        if isinstance(row, Problem):
            tally.skip(row)
        else:
            yield row


def _parts(rows: Iterator[KnowledgeRow], *, whole: bool) -> Iterator[list[KnowledgeRow]]:
    """At least one, maybe empty. Pruning compares with the whole file at once."""
    part = list(rows if whole else islice(rows, PART))
    yield part
    while not whole and (part := list(islice(rows, PART))):
        yield part


def _prose(part: list[KnowledgeRow]) -> bool:
    return bool(part) and all(row.prose for row in part)


def _account(tallies: Mapping[str, Tally], *, prune: bool, dry_run: bool) -> None:
    table = Table(
        *(Column(name, justify="right") for name in NUMBERS), Column("file", no_wrap=True), box=None
    )
    for file, tally in tallies.items():
        table.add_row(*(str(getattr(tally, name)) for name in NUMBERS), file)
    # As wide as it needs: a cut or folded path cannot be copied.
    Console(width=60 + max(map(cell_len, tallies), default=0)).print(table)
    if prune and any(tally.broken for tally in tallies.values()):
        click.echo("Nothing was removed for files with skipped rows: mend those rows first.")
    if dry_run:
        click.echo("Nothing was written: this was a dry run.")
