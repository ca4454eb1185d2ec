"""A tuner, driven from its last checkpoint to its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from training.job.checkpoints import Checkpoints
from training.job.log import Log
from training.job.place import Place
from training.job.stop import Stop, Stopped
from training.progress import Report

if TYPE_CHECKING:
    from torch import Tensor

    from training.tuning.recipes import Recipe
    from training.tuning.task import Step

Epoch = Mapping[str, float]
"""The number of an epoch (from 1), its mean loss, and its metrics."""


class Tunes(Protocol):
    """What can be driven: steps, and a state to go on from. As `training.tuning.tuner.Tuner` has them."""

    recipe: Recipe

    def run(self, *, evaluate: Callable[[Any], Mapping[str, float]] | None = None) -> Iterator[Step]: ...

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]: ...

    def restore(self, tensors: Mapping[str, Tensor], rest: Mapping[str, Any]) -> None: ...


T = TypeVar("T", bound=Tunes)


class Drives(Protocol):
    """What of a run is needed for it."""

    @property
    def place(self) -> Place: ...

    @property
    def say(self) -> Report: ...

    @property
    def stop(self) -> Stop: ...

    @property
    def checkpoint_seconds(self) -> float: ...


@dataclass(slots=True)
class Driven(Generic[T]):
    """A tuner at its end, with what each epoch came to; `seconds`: of training, over all starts."""

    tuner: T
    epochs: list[Epoch] = field(default_factory=list)
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)

    def best(self, metric: str) -> int:
        """Number of the first epoch with the highest one."""
        return int(max(self.epochs, key=lambda epoch: (epoch[metric], -epoch["epoch"]))["epoch"])


def drive(
    run: Drives,
    make: Callable[..., T],
    *,
    stage: str,
    evaluate: Callable[[T], Mapping[str, float]] | None = None,
) -> Driven[T]:
    """Checkpoints at each epoch's end and as often as the spec says, under the stage's name; logs beside them.

    Raises `Stopped` once what is done is kept.
    """
    from safetensors.torch import load_file

    checkpoints = Checkpoints(run.place.checkpoints(stage))
    driven, done = Driven(make(stage=stage)), 0
    if last := checkpoints.last():
        driven.tuner.restore(load_file(last.tensors), last.about["tuner"])
        driven.epochs, driven.losses = last.about["epochs"], last.about["losses"]
        driven.seconds, done = last.about["seconds"], last.number
    with Log(run.place.logs / stage) as log:
        log.begin(done)
        _Driver(run, driven, checkpoints, log, stage).drive(evaluate)
    return driven


class _Driver(Generic[T]):
    def __init__(
        self, run: Drives, driven: Driven[T], checkpoints: Checkpoints, log: Log, stage: str
    ) -> None:
        self._run, self._driven, self._checkpoints = run, driven, checkpoints
        self._log, self._stage = log, stage
        self._begun = self._kept = time.monotonic()
        self._before = driven.seconds
        self._held: tuple[int, dict[str, Tensor], dict[str, Any]] | None = None

    def drive(self, evaluate: Callable[[T], Mapping[str, float]] | None) -> None:
        done = 0
        with self._run.stop.gently():
            try:
                for step in self._driven.tuner.run(evaluate=evaluate):
                    done, self._held = step.done, None
                    self._tell(step)
                    self._keep_if_due(step)
                    self._run.stop.heed()
            except Stopped:
                self._write_held()
                raise
        if done:
            self._write(done + 1, *self._driven.tuner.state())
        self._run.stop.heed()

    def _tell(self, step: Step) -> None:
        driven = self._driven
        driven.seconds = self._before + time.monotonic() - self._begun
        driven.losses.append(step.loss)
        self._log.scalars(step.done, {"loss": step.loss, "rate": step.rate})
        if self._last_of_epoch(step):
            mean = sum(driven.losses) / len(driven.losses)
            driven.epochs.append({"epoch": step.epoch + 1, "loss": mean, **step.metrics})
            driven.losses = []
            self._log.scalars(step.done, step.metrics)
        self._run.say(self._stage, step.done, step.total, self._text(step))

    def _text(self, step: Step) -> str:
        told = f"{self._stage}: epoch {step.epoch + 1}, loss {step.loss:.3f}"
        if self._driven.epochs:
            # After epoch, loss, and what the tasks come to together.
            own = list(self._driven.epochs[-1].items())[3:]
            told += "".join(f", {name} {100 * value:.1f} %" for name, value in own)
        return told

    def _keep_if_due(self, step: Step) -> None:
        """What comes before an epoch's last step is held in memory: the evaluation after it may take a while, and a
        stop in the middle of it must not cost more than that step.
        """
        asked = self._run.stop.asked is not None
        due = time.monotonic() - self._kept >= self._run.checkpoint_seconds
        if asked or due or self._last_of_epoch(step):
            self._write(step.done, *self._driven.tuner.state())
        elif self._last_of_epoch(step, ahead=1):
            self._held = (step.done, *self._driven.tuner.state())

    def _last_of_epoch(self, step: Step, *, ahead: int = 0) -> bool:
        epochs = self._driven.tuner.recipe.epochs
        return (step.done + ahead) % (step.total // epochs) == 0

    def _write_held(self) -> None:
        if self._held is not None:
            self._write(*self._held)

    def _write(self, done: int, tensors: dict[str, Tensor], rest: dict[str, Any]) -> None:
        from safetensors.torch import save_file

        def save(path: Path) -> None:
            save_file(tensors, path)

        driven = self._driven
        told = {"epochs": driven.epochs, "losses": driven.losses, "seconds": driven.seconds}
        self._checkpoints.write(done, save, {"tuner": rest, **told})
        self._kept = time.monotonic()
