"""One encoder, tuned for several tasks at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.apply import Floats, IntentHead
from training.tuning.recipes import Recipe
from training.tuning.task import Step, Task

if TYPE_CHECKING:
    from torch import Tensor

Evaluate = Callable[["Tuner"], Mapping[str, float]]
"""Metrics at an epoch's end. The first is what early stopping goes by: more of it is better."""


class Tuner:
    """An encoder's folder, tasks and a recipe; `run` tunes in memory, `save` writes.

    `work`: where states of frozen layers may lie while this object lives; a temporary folder where it is None.
    """

    def __init__(
        self, folder: Path, tasks: Sequence[Task], recipe: Recipe, *, work: Path | None = None
    ) -> None:
        """Raises `TrainingError` for tasks that cannot be learned and a model that the recipe does not fit."""
        raise NotImplementedError

    def run(self, *, evaluate: Evaluate | None = None) -> Iterator[Step]:
        """Tune, one batch after the other; whoever iterates may stop between them, and call `state` there.

        At the end the weights of the epoch with the best first metric are put back.
        """
        raise NotImplementedError

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All that a run needs to go on: tensors for safetensors, the rest for JSON."""
        raise NotImplementedError

    def restore(self, tensors: Mapping[str, Tensor], rest: Mapping[str, Any]) -> None:
        """Go on from a `state` of a tuner with the same folder, tasks and recipe; `run` then gives the steps that are
        left, and the same weights to the last bit. Raises `TrainingError` for a state of another one.
        """
        raise NotImplementedError

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors as the saved encoder gives them: float32 [n, dim]."""
        raise NotImplementedError

    def head(self, task: str) -> IntentHead:
        """The task's classifier for vectors of `encode`: temperature 1, without words."""
        raise NotImplementedError

    def save(self, folder: Path) -> None:
        """Write a plain sentence-transformers folder; the caller makes it atomic."""
        raise NotImplementedError

    def about(self) -> dict[str, Any]:
        """For a run's record: threads, precision, devices, where states were kept, share of padding."""
        raise NotImplementedError
