"""What is learned of a batch, by its task's kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.apply import Floats
from training.tuning.losses import info_nce, pull, supervised_contrastive
from training.tuning.material import Material, Numbers, Rows, some_of_each
from training.tuning.net import Cosine
from training.tuning.recipes import Recipe

START = 32
"""Texts of a label whose untrained vectors say where its row starts: all of 10,000 would cost a third of an epoch."""

Untrained = Callable[[Sequence[int]], Floats]
"""float32 [n, dim]: vectors of some texts before the first step."""


class Objective:
    """Labels are told apart by a cosine classifier, and contrasted if the recipe says so; pairs are contrasted; anchors
    and pairs are pulled back to where they were, if the recipe says so.
    """

    def __init__(self, material: Material, recipe: Recipe, untrained: Untrained) -> None:
        self._material, self._recipe, self._untrained = material, recipe, untrained
        self._before = self._remembered() if recipe.keep else {}

    def heads(self, scale: float) -> dict[str, nn.Module]:
        """By the task's number."""
        tasks = enumerate(self._material.tasks)
        return {str(number): self._head(rows, scale) for number, rows in tasks if rows.task.kind == "labels"}

    def loss(self, task: int, rows: Numbers, vectors: Tensor, logits: Tensor | None) -> Tensor:
        """Of some rows of a task: unit vectors [n, dim] and, if it has labels, logits [n, labels]."""
        recipe, own = self._recipe, self._material.tasks[task]
        labels = torch.from_numpy(own.labels[rows]).to(vectors.device)
        lost = vectors.new_zeros(())
        if logits is not None:
            lost = functional.cross_entropy(logits.float(), labels, label_smoothing=recipe.smoothing)
            if recipe.contrast:
                lost = lost + recipe.contrast * supervised_contrastive(vectors, labels, recipe.temperature)
        elif own.task.kind == "pairs":
            lost = info_nce(vectors, labels, recipe.temperature)
        if task in self._before:
            before = torch.from_numpy(self._before[task][rows]).to(vectors.device)
            lost = lost + recipe.keep * pull(vectors, before)
        return lost

    def _remembered(self) -> dict[int, Floats]:
        tasks = enumerate(self._material.tasks)
        return {n: self._untrained(rows.texts.tolist()) for n, rows in tasks if rows.task.kind != "labels"}

    def _head(self, rows: Rows, scale: float) -> Cosine:
        """Each row is its label's mean vector, seen from the mean of all labels."""
        some = some_of_each(rows, START, seed=self._recipe.seed)
        vectors = self._untrained(rows.texts[np.concatenate(some)].tolist())
        ends = np.cumsum([len(part) for part in some])[:-1]
        means = torch.from_numpy(np.stack([part.mean(axis=0) for part in np.split(vectors, ends)]))
        return Cosine(functional.normalize(means - means.mean(dim=0), dim=-1), scale)
