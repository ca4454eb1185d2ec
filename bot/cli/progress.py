"""Progress of slow starts: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from bot.inference.child import Progress as Report

LINE_EVERY_S = 10.0
ENDED = 8
"""Bars of stages that are done and stay in sight: with all of a training the one at work would lie below the screen."""
TOLD_FROM_S = 60.0
"""What is left of a stage is told where it is as long as this."""


@contextmanager
def shown(console: Console) -> Iterator[Report]:
    """Gives `report(stage, done, total)`; total 0 means that nobody knows. A new stage ends the one before."""
    if not console.is_terminal:
        yield _Lines(console).report
        return
    columns = (
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        yield _Bars(bars).report


class _Bars:
    """One bar a stage, under the last of those that are done."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._stage = "Starting"
        self._bar = bars.add_task(self._stage, total=None)
        self._ended: list[TaskID] = []

    def report(self, stage: str, done: int, total: int) -> None:
        name = stage.partition(":")[0]
        if name != self._stage:
            self._end(self._bar)
            self._stage, self._bar = name, self._bars.add_task(stage, total=None)
        self._bars.update(self._bar, description=stage, completed=done, total=total or None)

    def _end(self, bar: TaskID) -> None:
        if self._stage == "Starting":
            self._bars.remove_task(bar)
        else:
            self._bars.update(bar, completed=1, total=1)
            self._ended.append(bar)
            if len(self._ended) > ENDED:
                self._bars.remove_task(self._ended.pop(0))


class _Lines:
    """A line at the beginning of a stage, at each quarter of it, and after every ten seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._stage = ""
        self._quarter = 0
        self._at = 0.0
        self._begun = (0.0, 0)
        self._total = 0

    def report(self, stage: str, done: int, total: int) -> None:
        quarter = 4 * done // total if total else 0
        now = time.monotonic()
        name = stage.partition(":")[0]
        if name != self._stage or total != self._total or done == self._begun[1]:
            self._begun, self._total = (now, done), total
        if name != self._stage or quarter > self._quarter or now - self._at >= LINE_EVERY_S:
            self._stage, self._quarter, self._at = name, quarter, now
            text = f"{stage}: {done} of {total}{self._left(now, done, total)}" if total else stage
            self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def _left(self, now: float, done: int, total: int) -> str:
        """At the pace since the first of it was done: what an earlier run had done took no time in this one."""
        at, first = self._begun
        left = (now - at) / (done - first) * (total - done) if done > first else 0.0
        return f", about {left / 60:.0f} min left" if left >= TOLD_FROM_S else ""
