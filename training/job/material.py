"""What a job learns from, chooses by and is judged by: rows of a data set, fit to be learned."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from retrieval.text import identity, normalise
from training.apply import OUT_OF_SCOPE
from training.clean import Item
from training.dataset import Dataset, Row, Task
from training.job.place import JobError
from training.source import Found
from training.spec import Spec
from training.split import Shares, split

SHARE = 0.1
"""Of the training rows, held out where there are no validation rows."""
RETRIEVAL: Task = "retrieval"


@dataclass(frozen=True, slots=True)
class Part:
    """One task's rows. `held`: whether `valid` was held out of the training rows."""

    train: Sequence[Row]
    valid: Sequence[Row]
    test: Sequence[Row]
    held: bool = False

    @property
    def everything(self) -> Sequence[Row]:
        """All that may be learned in the end."""
        return [*self.train, *self.valid]


@dataclass(frozen=True, slots=True)
class Material:
    """Parts by task, with their weights in the loss. `notes`: what was not taken as it stood, a sentence each."""

    parts: Mapping[Task, Part]
    weights: Mapping[Task, float]
    foreign: str
    notes: tuple[str, ...]

    @property
    def labelled(self) -> dict[Task, Part]:
        """Tasks that get a head."""
        return {task: part for task, part in self.parts.items() if task != RETRIEVAL}


def read_material(spec: Spec, data: Dataset) -> Material:
    """Raises `JobError` for what cannot be learned."""
    weights = dict(spec.tasks) if spec.tasks else dict.fromkeys(data.tasks, 1.0)
    notes: list[str] = []
    parts = {task: _part(task, data, notes) for task in weights}
    if not parts:
        raise JobError(f"{data.folder} holds no rows")
    return Material(parts, weights, data.origin.foreign or OUT_OF_SCOPE, tuple(notes))


def held_out(part: Part, task: Task, *, seed: int) -> Part:
    """As it is where it has validation rows, else with a tenth of its training rows as those; none of a rare label."""
    if part.valid:
        return part
    chosen = _pairs(part.train, seed) if task == RETRIEVAL else _stratified(part.train, task, seed)
    train = [row for number, row in enumerate(part.train) if number not in chosen]
    return replace(part, train=train, valid=[part.train[number] for number in sorted(chosen)], held=True)


def _part(task: Task, data: Dataset, notes: list[str]) -> Part:
    train, valid, test = (list(data.rows(task, split)) for split in ("train", "valid", "test"))
    if not train:
        raise JobError(f"{data.folder} has no training rows for {task}")
    if task == RETRIEVAL:
        if max(Counter(row.label for row in train).values()) < 2:
            raise JobError(f"{data.folder}: no two training rows for retrieval belong together")
        return Part(train, valid, test)
    train = _consistent(train, task, notes)
    known = {row.label for row in train}
    if len(known - {data.origin.foreign}) < 2:
        raise JobError(
            f"{data.folder} has fewer than two labels to tell apart in the training rows for {task}"
        )
    heard = [row for row in valid if row.label in known]
    if len(heard) < len(valid):
        rows = len(valid) - len(heard)
        notes.append(f"{task}: validation rows passed over, as training lacks their label: {rows}.")
    return Part(train, heard, test)


def _consistent(rows: Sequence[Row], task: Task, notes: list[str]) -> list[Row]:
    """Without texts that have several labels: whatever is learned of them is wrong."""
    labels: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        labels[normalise(row.text)].add(row.label)
    kept = [row for row in rows if len(labels[normalise(row.text)]) == 1]
    if len(kept) < len(rows):
        left = len(rows) - len(kept)
        notes.append(f"{task}: training rows left out, as their text has several labels: {left}.")
    return kept


def _stratified(rows: Sequence[Row], task: Task, seed: int) -> set[int]:
    """Row numbers; rows of one group or one text stay together."""
    found: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        found[identity(row.text)].append(number)
    items = [
        Item(key, tuple(Found(task, "", rows[n]) for n in numbers[:1])) for key, numbers in found.items()
    ]
    sides = split(items, seed=seed, shares=Shares(valid=SHARE, test=0.0))
    return {number for key, numbers in found.items() if sides[key] == "valid" for number in numbers}


def _pairs(rows: Sequence[Row], seed: int) -> set[int]:
    """One row of every tenth key that keeps two without it."""
    keys: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        keys[row.label].append(number)
    rich = [numbers for numbers in keys.values() if len(numbers) > 2]
    return {numbers[-1] for numbers in _shuffled(rich, seed)[: round(SHARE * len(rich))]}


def _shuffled(units: Sequence[list[int]], seed: int) -> list[list[int]]:
    return [units[place] for place in np.random.default_rng(seed).permutation(len(units))]
