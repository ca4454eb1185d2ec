"""Progress of slow starts: a bar in a terminal, a line a stage elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from bot.inference.child import Progress as Report


@contextmanager
def shown(console: Console) -> Iterator[Report]:
    """Gives `report(stage, done, total)`; total 0 means that nobody knows."""
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        tasks = {"": bars.add_task("Starting", total=None)}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total or None)
            bars.update(tasks[stage], completed=done, total=total or None)
            bars.update(tasks[""], visible=False)

        yield report


def _lines(console: Console) -> Report:
    seen: dict[str, int] = {}

    def report(stage: str, done: int, total: int) -> None:
        """A line at the beginning of a stage and at each quarter of it."""
        quarter = 4 * done // total if total else 0
        if seen.get(stage, -1) < quarter:
            seen[stage] = quarter
            console.print(f"{stage}: {done} of {total}" if total else stage, highlight=False)

    return report
