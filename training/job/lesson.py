"""What a tuner is given: tasks, a recipe, and how to judge it by the validation rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrieval.text import as_read
from training.apply import Floats
from training.dataset import Task
from training.job.material import RETRIEVAL, Material, Part
from training.job.measure import places
from training.job.reading import counted
from training.job.run import Run
from training.tuning.material import gather
from training.tuning.recipes import Recipe, recipe_for
from training.tuning.task import Task as Learned
from training.tuning.tuner import Evaluate, Tuner

VALID = "valid"
"""What training is judged by: the mean of the tasks' own metrics, by their weights, and a thousandth of how sure they
are of what is right: few rows give many epochs the same accuracy.
"""
TIE = 1e-3
PART = 128
"""Texts encoded before a stop is heeded: seconds."""


def recipe_of(run: Run, **more: Any) -> Recipe:
    """Raises `TrainingError` for a spec that says what no recipe knows."""
    return recipe_for(run.spec.method, {"threads": run.threads, **run.spec.overrides, **more})


def make(run: Run, material: Material, recipe: Recipe, *, stage: str) -> Tuner:
    """Takes a minute for ten thousand texts: layers that stay as they are see them once. `stage`: what it is for.

    Texts are learned in the form in which they will be read.
    """
    tasks = [
        Learned(
            task,
            [as_read(row.text) for row in part.train],
            [row.label for row in part.train],
            material.weights[task],
            material.foreign,
        )
        for task, part in material.parts.items()
    ]
    run.place.work.mkdir(exist_ok=True)
    total = len(gather(tasks, recipe).texts)

    def tell(done: int) -> None:
        run.say("reading", min(done, total), total, f"{stage}: reading the texts")

    tell(0)
    with counted(tell):
        return Tuner(run.base, tasks, recipe, work=run.place.work)


def evaluation(run: Run, material: Material) -> Evaluate | None:
    """None where there are no validation rows."""
    judged = {task: part for task, part in material.parts.items() if _can_judge(task, part)}
    if not judged:
        return None

    def evaluate(tuner: Tuner) -> Mapping[str, float]:
        found = {task: _metric(run, tuner, task, part) for task, part in judged.items()}
        weights = [material.weights[task] for task in judged]
        values = [one.value + TIE * one.tie for one in found.values()]
        mean = float(np.average(values, weights=weights))
        return {VALID: mean, **{one.name: one.value for one in found.values()}}

    return evaluate


@dataclass(frozen=True, slots=True)
class _Metric:
    """`tie`: what decides between two epochs of one value. Both 0..1"""

    name: str
    value: float
    tie: float


def _can_judge(task: Task, part: Part) -> bool:
    keys = Counter(row.label for row in part.everything)
    return any(keys[row.label] > 1 for row in part.valid) if task == RETRIEVAL else bool(part.valid)


def _metric(run: Run, tuner: Tuner, task: Task, part: Part) -> _Metric:
    def encode(texts: Sequence[str]) -> Floats:
        return np.concatenate([_encoded(run, tuner, some) for some in _parts(texts)])

    if task == RETRIEVAL:
        found = np.array([place for place in places(part.valid, part.everything, encode) if place])
        first, mrr = (found == 1).mean(), (1 / found).mean()
        return _Metric("retrieval.recall@1", float(first), float(mrr))
    head = tuner.head(task)
    texts = [row.text for row in part.valid]
    probabilities = head.probabilities(encode(texts), texts)
    truth = np.array([head.places[row.label] for row in part.valid])
    right = probabilities.argmax(axis=1) == truth
    return _Metric(
        f"{task}.accuracy", float(right.mean()), float(probabilities[np.arange(len(truth)), truth].mean())
    )


def _encoded(run: Run, tuner: Tuner, texts: Sequence[str]) -> Floats:
    run.stop.heed()
    return read(tuner, texts)


def read(tuner: Tuner, texts: Sequence[str]) -> Floats:
    """float32 [n, dim] of n texts, as the encoder that is served will read them."""
    return tuner.encode([as_read(text) for text in texts])


def _parts(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), PART):
        yield texts[start : start + PART]
