"""From labelled texts as they were found to a data set: cleaned, split, without what leaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from retrieval.text import normalise
from training.clean import Item, Tally, clean
from training.dataset import (
    SPLITS,
    TASKS,
    Dataset,
    DatasetError,
    Origin,
    Row,
    Rows,
    Split,
    Task,
    write_dataset,
)
from training.near import LEAK, UNFAIR, thin
from training.progress import Report, silent
from training.source import Found, read_found, read_origin
from training.split import Shares, kept_back, split

BACK = "kept back, so that answers are calibrated by them"
"""Why texts to learn from were not taken."""
NAMED = 5
"""Labels that a note names."""


def prepare(work: Path, out: Path, *, learn: float = 1.0, report: Report) -> Dataset:
    """`work` is what `training.source.write_found` wrote. Raises `DatasetError` where nothing can be learned."""
    return make_dataset(read_found(work), read_origin(work), out, learn=learn, report=report)


def make_dataset(
    found: Iterable[Found],
    origin: Origin,
    out: Path,
    *,
    shares: Shares | None = None,
    learn: float = 1.0,
    report: Report = silent,
) -> Dataset:
    """The same rows in any order make the same data set. `learn`: as in `training.spec.Spec`."""
    tally = Tally()
    report("data", 0, 3, "cleaning")
    items = clean(found, tally, seed=origin.seed)
    report("data", 1, 3, "splitting")
    sides = split(items, seed=origin.seed, shares=shares)
    report("data", 2, 3, "looking for what is nearly the same")
    kept = _learned(thin(items, sides, tally), sides, learn, tally, seed=origin.seed)
    parts = {task: {side: _rows(kept, sides, task, side) for side in SPLITS} for task in TASKS}
    if not any(part["train"] for part in parts.values()):
        raise DatasetError("There is no text to learn from.")
    leaks = check(parts) | {
        "nearly the same text": sum(_rows_for(tally, reason) for reason in (LEAK, UNFAIR))
    }
    notes = (*origin.notes, *_notes(parts))
    whole = replace(origin, removed=tally.removed(), leaks=leaks, notes=notes)
    report("data", 3, 3, "writing")
    return write_dataset(out, parts, whole)


def _learned(
    items: Sequence[Item], sides: Mapping[str, Split], share: float, tally: Tally, *, seed: int
) -> list[Item]:
    """Without what is kept back for calibrating."""
    back = kept_back((item for item in items if sides[item.id] == "train"), share=share, seed=seed)
    for item in items:
        for one in item.rows if item.id in back else ():
            tally.add(BACK, one.task)
    return [item for item in items if item.id not in back]


def check(parts: Rows) -> dict[str, int]:
    """Texts, and conversations, that stand on more than one side: none. Raises `DatasetError` otherwise."""
    found = {
        "the same text": _twice((normalise(row.text), side) for row, side in _sided(parts)),
        "the same conversation": _twice((row.group, side) for row, side in _sided(parts) if row.group),
    }
    for what, count in found.items():
        if count:
            raise DatasetError(f"{what.capitalize()} stands on two sides of the split: {count} times.")
    return found


def _sided(parts: Rows) -> Iterator[tuple[Row, Split]]:
    return ((row, side) for splits in parts.values() for side, rows in splits.items() for row in rows)


def _twice(sided: Iterable[tuple[str, Split]]) -> int:
    """How many stand on several sides."""
    return sum(count > 1 for count in Counter(what for what, _ in set(sided)).values())


def _rows(items: Sequence[Item], sides: Mapping[str, Split], task: Task, side: Split) -> list[Row]:
    """In an order that tells nothing of where they are from: by label and text."""
    rows = [one.row for item in items if sides[item.id] == side for one in item.rows if one.task == task]
    return sorted(rows, key=lambda row: (row.label, row.lang or "", row.text))


def _rows_for(tally: Tally, reason: str) -> int:
    return sum(tally.counts[reason, task] for task in TASKS)


def _notes(parts: Rows) -> Iterator[str]:
    for task, splits in parts.items():
        counts = Counter(row.label for rows in splits.values() for row in rows)
        if single := sorted(label for label, count in counts.items() if count == 1):
            named = ", ".join(f"`{label}`" for label in single[:NAMED]) + (", ..." if single[NAMED:] else "")
            yield f"{task}: labels with one text, which is learned from and judged by nowhere: {len(single)} ({named})."
