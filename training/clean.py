"""Labelled texts as they come, to texts that can be learned: each once, with one label a task.

One pass in bounded memory. Texts are the same where their normal form is; they stay as they were written. Whatever the
order in which rows come, the same ones remain.
"""

from __future__ import annotations

import hashlib
import heapq
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from retrieval.text import identity
from training.dataset import TASKS, DatasetError, Removed, Task
from training.source import Found

MAX_TEXT = 4_000
"""Characters: no message is longer."""
MAX_TEXTS = 100_000
"""Different texts of a task that are kept; of more, as many are drawn."""
MAX_LABELS = 500
"""Different labels of intents or sentiment."""
MAX_CLASH = 0.1
"""A larger share of a task's texts under several labels is no oversight: then nothing is made."""
FEW = 20
"""Among so few texts any share may be an oversight."""
_NO_CHARACTER = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\ud800-\\udfff\\ufffd]")
Name = tuple[Task, str]
"""A label of a task."""
LISTED = 20
"""Places that are told for each reason."""

EMPTY = "nothing but blanks or marks"
LONG = f"longer than {MAX_TEXT} characters"
CONTROL = "control characters, or what is no character"
REPEATED = "said before under the same label"
CLASH = "the same text under several labels"
AGAINST = "another label than the author's"
DRAWN = f"beyond {MAX_TEXTS} texts: as many were drawn"


@dataclass(frozen=True, slots=True)
class Item:
    """One text with what is known of it: at most one row a task. `id`: SHA-256 (hex) of its normal form."""

    id: str
    rows: tuple[Found, ...]

    @property
    def text(self) -> str:
        return self.rows[0].row.text

    @property
    def names(self) -> set[Name]:
        return {(one.task, one.row.label) for one in self.rows}


@dataclass(slots=True)
class Tally:
    """Rows that were taken out, by (reason, task), with the first of their places."""

    counts: Counter[tuple[str, Task]] = field(default_factory=Counter)
    places: dict[tuple[str, Task], list[str]] = field(default_factory=dict)

    def add(self, reason: str, task: Task, places: Iterable[str] = (), *, rows: int = 1) -> None:
        self.counts[reason, task] += rows
        kept = self.places.setdefault((reason, task), [])
        kept[:] = heapq.nsmallest(LISTED, [*kept, *places])

    def removed(self) -> tuple[Removed, ...]:
        found = sorted(self.counts.items(), key=lambda item: (TASKS.index(item[0][1]), item[0][0]))
        return tuple(
            Removed(reason, task, rows, tuple(self.places[reason, task])) for (reason, task), rows in found
        )


def clean(found: Iterable[Found], tally: Tally, *, seed: int = 0, limit: int = MAX_TEXTS) -> list[Item]:
    """By id. Raises `DatasetError` where labels are no classes, or contradict one another all over."""
    tasks = {task: _Texts(task, tally, seed, limit) for task in TASKS}
    for one in found:
        if reason := _unfit(one.row.text):
            tally.add(reason, one.task, [one.place])
        else:
            tasks[one.task].take(one)
    items: dict[str, list[Found]] = {}
    for texts in tasks.values():
        for id, row in texts.rows():
            items.setdefault(id, []).append(row)
    return [Item(id, tuple(rows)) for id, rows in sorted(items.items())]


def _unfit(text: str) -> str | None:
    if len(text) > MAX_TEXT:
        return LONG
    if _NO_CHARACTER.search(text):
        return CONTROL
    return None if any(char.isalnum() for char in text) else EMPTY


@dataclass(slots=True)
class _Text:
    """What was said about one text. `rows`: by label, and whether that is the author's."""

    rows: dict[tuple[str, bool], Found] = field(default_factory=dict)
    repeats: int = 0
    repeated: list[str] = field(default_factory=list)

    def take(self, one: Found) -> None:
        name = (one.row.label, one.own)
        if (other := self.rows.get(name)) is None:
            self.rows[name] = one
            return
        self.rows[name], gone = sorted((other, one), key=_order)
        self.repeats += 1
        self.repeated = heapq.nsmallest(LISTED, [*self.repeated, gone.place])


def _order(found: Found) -> tuple[str, ...]:
    """Of several that say the same, the first one stays."""
    row = found.row
    return row.text, row.lang or "", row.at or "", row.group or "", found.place


@dataclass(frozen=True, slots=True)
class _Rank:
    """Random and always the same for a text; the largest comes first in a heap."""

    value: str
    id: str

    def __lt__(self, other: _Rank) -> bool:
        return self.value > other.value


@dataclass(slots=True)
class _Texts:
    """The texts of one task: of more than `limit` those with the smallest ranks."""

    task: Task
    tally: Tally
    seed: int
    limit: int
    kept: dict[str, _Text] = field(default_factory=dict)
    ranks: list[_Rank] = field(default_factory=list)
    """A heap of what is kept."""
    labels: set[str] = field(default_factory=set)

    def take(self, one: Found) -> None:
        self._know(one.row.label)
        id = identity(one.row.text)
        if id in self.kept or self._admit(id):
            self.kept[id].take(one)
        else:
            self.tally.add(DRAWN, self.task)

    def rows(self) -> Iterator[tuple[str, Found]]:
        """One row for each text whose label is sure, with the text's id."""
        clashes = 0
        for id, text in self.kept.items():
            if text.repeats:
                self.tally.add(REPEATED, self.task, text.repeated, rows=text.repeats)
            if (sure := self._sure(text)) is not None:
                yield id, sure
            else:
                clashes += 1
        if len(self.kept) >= FEW and clashes > MAX_CLASH * len(self.kept):
            places = "; ".join(self.tally.places[CLASH, self.task][:3])
            raise DatasetError(
                f"{clashes} of {len(self.kept)} texts for {self.task} have several labels: {places}. "
                "Leave each text with one of them."
            )

    def _sure(self, text: _Text) -> Found | None:
        """The author's label, where there is one; customers' where all say the same."""
        every = list(text.rows.values())
        said = [one for one in every if one.own] or every
        if len(said) > 1:
            places = " and ".join(sorted(one.place for one in every))
            self.tally.add(CLASH, self.task, [places], rows=len(every))
            return None
        for one in every:
            if one is not said[0]:
                reason = REPEATED if one.row.label == said[0].row.label else AGAINST
                self.tally.add(reason, self.task, [one.place])
        return said[0]

    def _know(self, label: str) -> None:
        if self.task == "retrieval":
            return
        self.labels.add(label)
        if len(self.labels) > MAX_LABELS:
            raise DatasetError(
                f"There are more than {MAX_LABELS} labels for {self.task}: is `label` a class?"
            )

    def _admit(self, id: str) -> bool:
        """Whether it belongs to those with the smallest ranks so far; then the largest of them makes room."""
        rank = _Rank(hashlib.sha256(f"{self.seed} {id}".encode()).hexdigest(), id)
        if len(self.kept) < self.limit:
            heapq.heappush(self.ranks, rank)
        elif self.ranks[0] < rank:
            gone = self.kept.pop(heapq.heapreplace(self.ranks, rank).id)
            self.tally.add(DRAWN, self.task, rows=len(gone.rows) + gone.repeats)
        else:
            return False
        self.kept[id] = _Text()
        return True
