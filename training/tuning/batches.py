"""Which rows are learned together: a pure function of tasks, recipe and epoch, so that a run can go on anywhere.

Rows of about the same length stand together, so that next to nothing is padded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.tuning.material import Material, Numbers, Rows
from training.tuning.recipes import Recipe

WINDOW = 1_024
"""Batches whose rows are sorted by length among themselves; who meets whom still differs by epoch. With 64 of
them 4.1 % of what is computed for BANKING77 is padding, with so many 0.9 %.
"""
SPREAD = 0.25
"""How far lengths may differ (as a share) among texts of one label that are put together. 17 % of BANKING77 is padding
then; it would be 10 % with .1, and nearly the same texts would meet in each epoch.
"""
PAIR = 2

Unit = Numbers
"""Rows that must stand in one batch."""


@dataclass(frozen=True, slots=True)
class Batch:
    """`task`: its number; `rows` of that task [n]."""

    task: int
    rows: Numbers


def plan(material: Material, lengths: Numbers, recipe: Recipe, epoch: int) -> list[Batch]:
    """The batches of an epoch in their order. `lengths`: tokens of each text.

    With weight 1 every row stands in exactly one batch; with 2 in two; with .5 a random half of the batches is left
    out.
    """
    rng = np.random.default_rng([recipe.seed, epoch])
    batches = [
        Batch(number, rows)
        for number, task in enumerate(material.tasks)
        for rows in _of_task(task, lengths[task.texts], recipe, rng)
    ]
    return [batches[place] for place in rng.permutation(len(batches))]


def count(material: Material, recipe: Recipe) -> int:
    """Batches of an epoch: the same in each."""
    return sum(_wanted(task, recipe) for task in material.tasks)


def _of_task(task: Rows, lengths: Numbers, recipe: Recipe, rng: np.random.Generator) -> list[Numbers]:
    wanted, found = _wanted(task, recipe), list[Numbers]()
    while len(found) < wanted:
        passed = _once(task, lengths, recipe, rng)
        left = wanted - len(found)
        if left < len(passed):
            passed = [passed[place] for place in rng.permutation(len(passed))[:left]]
        found += passed
    return found


def _once(task: Rows, lengths: Numbers, recipe: Recipe, rng: np.random.Generator) -> list[Numbers]:
    """Batches that hold every row of the task once."""
    size = _unit(task, recipe)
    units = (
        [np.array([row]) for row in range(len(lengths))] if size == 1 else _units(task, lengths, size, rng)
    )
    tall = np.array([lengths[unit].max() for unit in units])
    a_batch = max(recipe.batch // size, 1)
    found = []
    order = rng.permutation(len(units))
    for begin in range(0, len(order), a_batch * WINDOW):
        window = order[begin : begin + a_batch * WINDOW]
        window = window[np.argsort(tall[window], kind="stable")]
        found += [
            np.concatenate([units[place] for place in window[at : at + a_batch]])
            for at in range(0, len(window), a_batch)
        ]
    return found


def _units(task: Rows, lengths: Numbers, size: int, rng: np.random.Generator) -> list[Unit]:
    """Rows of one label by `size`; of pairs none is left alone that has another."""
    order = np.argsort(lengths * np.exp(SPREAD * rng.standard_normal(len(lengths))), kind="stable")
    order = order[np.argsort(task.labels[order], kind="stable")]
    edges = np.flatnonzero(np.diff(task.labels[order])) + 1
    return [unit for rows in np.split(order, edges) for unit in _cut(rows, size)]


def _cut(rows: Numbers, size: int) -> Sequence[Unit]:
    return np.array_split(rows, _parts(len(rows), size))


def _parts(rows: int, size: int) -> int:
    """An odd one joins a pair; larger units are filled up evenly."""
    return max(rows // size, 1) if size == PAIR else math.ceil(rows / size)


def _unit(task: Rows, recipe: Recipe) -> int:
    if task.task.kind == "pairs":
        return PAIR
    return min(recipe.per_label, recipe.batch // 2) if task.task.kind == "labels" and recipe.contrast else 1


def _wanted(task: Rows, recipe: Recipe) -> int:
    size = _unit(task, recipe)
    each = np.bincount(task.labels)
    units = sum(_parts(int(rows), size) for rows in each if rows) if size > 1 else len(task.labels)
    return max(round(math.ceil(units / max(recipe.batch // size, 1)) * task.task.weight), 1)
