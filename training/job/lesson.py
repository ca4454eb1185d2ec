"""What a tuner is given: tasks, a recipe, and how to judge it by the validation rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from training.apply import Floats
from training.dataset import Task
from training.job.material import RETRIEVAL, Material, Part
from training.job.measure import places
from training.job.run import Run
from training.tuning.recipes import Recipe, recipe_for
from training.tuning.task import Task as Learned
from training.tuning.tuner import Evaluate, Tuner

VALID = "valid"
"""What training is judged by: the mean of the tasks' own metrics, by their weights. 0..1"""
PART = 128
"""Texts encoded before a stop is heeded: seconds."""


def recipe_of(run: Run, **more: Any) -> Recipe:
    """Raises `TrainingError` for a spec that says what no recipe knows."""
    return recipe_for(run.spec.method, {"threads": run.threads, **run.spec.overrides, **more})


def make(run: Run, material: Material, recipe: Recipe) -> Tuner:
    """Takes a minute for ten thousand texts: layers that stay as they are see them once."""
    tasks = [
        Learned(
            task,
            [row.text for row in part.train],
            [row.label for row in part.train],
            material.weights[task],
            material.foreign,
        )
        for task, part in material.parts.items()
    ]
    run.place.work.mkdir(exist_ok=True)
    return Tuner(run.base, tasks, recipe, work=run.place.work)


def evaluation(run: Run, material: Material) -> Evaluate | None:
    """None where there are no validation rows."""
    judged = {task: part for task, part in material.parts.items() if part.valid}
    if not judged:
        return None

    def evaluate(tuner: Tuner) -> Mapping[str, float]:
        found = {task: _metric(run, tuner, task, part) for task, part in judged.items()}
        weights = [material.weights[task] for task in judged]
        mean = float(np.average([value for _, value in found.values()], weights=weights))
        return {VALID: mean, **dict(found.values())}

    return evaluate


def _metric(run: Run, tuner: Tuner, task: Task, part: Part) -> tuple[str, float]:
    def encode(texts: Sequence[str]) -> Floats:
        return np.concatenate([_encoded(run, tuner, some) for some in _parts(texts)])

    if task == RETRIEVAL:
        found = [place for place in places(part.valid, part.everything, encode) if place]
        return "retrieval.recall@1", float(np.mean([place == 1 for place in found])) if found else 0.0
    head = tuner.head(task)
    logits = head.log_probabilities(encode([row.text for row in part.valid]))
    truth = [head.places.get(row.label, -1) for row in part.valid]
    return f"{task}.accuracy", float((logits.argmax(axis=1) == np.array(truth)).mean())


def _encoded(run: Run, tuner: Tuner, texts: Sequence[str]) -> Floats:
    run.stop.heed()
    return tuner.encode(texts)


def _parts(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), PART):
        yield texts[start : start + PART]
