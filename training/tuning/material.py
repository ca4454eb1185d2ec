"""Tasks by number: every text once, however many tasks it stands in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.apply import spoken
from training.errors import TrainingError
from training.tuning.recipes import Recipe
from training.tuning.task import Task

Numbers = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Rows:
    """A task of n rows: which text each is [n], which label each has [n], and the labels, sorted."""

    task: Task
    texts: Numbers
    labels: Numbers
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Material:
    """All texts, and the tasks on them."""

    texts: list[str]
    tasks: list[Rows]


def gather(tasks: Sequence[Task], recipe: Recipe) -> Material:
    """Raises `TrainingError` for what cannot be learned."""
    if not tasks:
        raise TrainingError("There is nothing to tune on: name a task at least")
    for name, count in Counter(task.name for task in tasks).items():
        if count > 1:
            raise TrainingError(f"There are {count} tasks {name!r}: put their texts into one")
    places: dict[str, int] = {}
    rows = [_rows(task, recipe, places) for task in tasks]
    return Material(list(places), rows)


def some_of_each(rows: Rows, most: int, *, seed: int) -> list[Numbers]:
    """Rows of each label in its order, `most` at the most: drawn, the same ones each time."""
    rng = np.random.default_rng([seed])
    return [rng.permutation(np.flatnonzero(rows.labels == n))[:most] for n in range(len(rows.names))]


def _rows(task: Task, recipe: Recipe, places: dict[str, int]) -> Rows:
    _check(task)
    if task.kind == "anchors" and not recipe.keep:
        raise TrainingError(f"Task {task.name!r} does nothing while the recipe's keep is 0: set it to more")
    texts, labels = list(task.texts), list(task.labels)
    if task.kind == "labels" and recipe.names:
        names = spoken(label for label in labels if label != task.foreign)
        texts += [text for text, _ in names]
        labels += [label for _, label in names]
    known = tuple(sorted(set(labels)))
    place = {label: number for number, label in enumerate(known)}
    return Rows(
        task,
        np.array([places.setdefault(text, len(places)) for text in texts], dtype=np.intp),
        np.array([place[label] for label in labels], dtype=np.intp),
        known,
    )


def _check(task: Task) -> None:
    where = f"Task {task.name!r}"
    if len(task.texts) != len(task.labels):
        raise TrainingError(
            f"{where} has {len(task.texts)} texts and {len(task.labels)} labels: give each text one"
        )
    if not task.weight > 0:
        raise TrainingError(f"{where} has the weight {task.weight}: leave it out, or give it more than 0")
    told = {label for text, label in zip(task.texts, task.labels, strict=True) if text.strip()}
    if empty := sorted(set(task.labels) - told):
        raise TrainingError(f"{where}: label {empty[0]!r} has no text; write one or remove the label")
    if task.kind == "labels" and len(told) < 2:
        raise TrainingError(f"{where} has {len(told)} labels: a classifier needs two or more")
    if task.kind == "pairs" and len(told) == len(task.labels):
        raise TrainingError(f"{where}: no two texts have one label, so there are no pairs to learn from")
    if not told:
        raise TrainingError(f"{where} has no texts: leave it out")
