"""A language model, adapted: low-rank matrices beside frozen weights (peft). What it is taught, whoever inherits says.

Every random number is drawn from the seed and the step's number, so a run can go on anywhere.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from training.errors import TrainingError
from training.language.base import Base
from training.language.spec import ModelSpec
from training.tuning.climb import Climb, factor
from training.tuning.devices import Devices, bounded
from training.tuning.recipes import recipe_for
from training.tuning.task import Step

S = TypeVar("S", bound=ModelSpec)


class ModelTuner(ABC, Generic[S]):
    """`run` tunes in memory. `rows`: how many examples there are to learn from; `adapted`: what peft is told beside
    rank and alpha.
    """

    def __init__(
        self, base: Base, spec: S, *, rows: int, adapted: Mapping[str, Any], threads: int = 0
    ) -> None:
        """Raises `TrainingError` where there is nothing to adapt."""
        from peft import LoraConfig, get_peft_model

        if threads:
            torch.set_num_threads(threads)
        self._spec, self._base, self._rows = spec, base, rows
        a_pass = -(-rows // spec.batch)
        self._in_epoch = min(a_pass, spec.steps or a_pass)
        epochs = min(spec.epochs, max(1, (spec.steps or spec.epochs * a_pass) // self._in_epoch))
        told = {"epochs": epochs, "rate": spec.rate, "warmup": spec.warmup, "batch": spec.batch}
        more = {"rank": spec.rank, "alpha": spec.alpha, "seed": spec.seed, "precision": spec.precision}
        self.recipe = recipe_for("lora", {**told, **more, "decay": 0.0, "patience": 0})
        self._devices = Devices(spec.precision)
        seed(spec.seed, 0, 0)
        config = LoraConfig(r=spec.rank, lora_alpha=spec.alpha, task_type="CAUSAL_LM", **adapted)
        with warnings.catch_warnings():
            # peft asks transformers for something by its old name.
            warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
            self._model: Any = get_peft_model(base.model, config).to(self._devices.device)
        self._model.peft_config["default"].base_model_name_or_path = spec.base
        self._climb = Climb(self, self.recipe, self._steps, self._devices)
        self._shared = self._devices.prepare(self._model)
        self._done = 0
        self._digest: str | None = None

    @property
    def _steps(self) -> int:
        return self.recipe.epochs * self._in_epoch

    def trained(self) -> Iterable[tuple[str, nn.Parameter]]:
        """By name, in an order that never changes."""
        return ((name, one) for name, one in self._model.named_parameters() if one.requires_grad)

    def run(self, *, evaluate: Callable[[Any], Mapping[str, float]] | None = None) -> Iterator[Step]:
        """One batch after the other; whoever iterates may stop between them, and call `state` there."""
        while self._done < self._steps:
            epoch, number = divmod(self._done, self._in_epoch)
            with bounded(f"{self._spec.batch} examples were learned"):
                seed(self._spec.seed, self._done + 1, self._devices.rank)
                self._model.train()
                loss = self._learn(self._batches(epoch)[number], epoch)
                self._climb.clear()
            self._done += 1
            last = number + 1 == self._in_epoch
            metrics = dict(evaluate(self)) if evaluate and last else {}
            rate = self._spec.rate * factor(self._done - 1, self._steps, self._spec.warmup)
            yield Step(epoch, number, self._done, self._steps, loss, rate, metrics)

    def plain(self) -> Iterator[tuple[str, Tensor]]:
        """Name of a weight in the base, and the base's weight; of those that are adapted."""
        for name, module in self._adapted():
            yield f"{name}.weight", module.base_layer.weight.detach().float()

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All that a run needs to go on: tensors for safetensors, the rest for JSON. The tensors are copies."""
        parts: dict[str, Mapping[str, Tensor]] = {
            "weights": dict(self.trained()),
            "climb": self._climb.state(),
        }
        tensors = {
            f"{part}/{name}": value.detach().to("cpu", copy=True)
            for part, own in parts.items()
            for name, value in own.items()
        }
        return tensors, {"of": self._of(), "done": self._done}

    def restore(self, tensors: Mapping[str, Tensor], rest: Mapping[str, Any]) -> None:
        """Go on from a `state` of the same base, examples and spec. Raises `TrainingError` for one of another run."""
        if rest.get("of") != self._of():
            raise TrainingError("This state is of another run: start anew, or go on with what it began with")
        own = {key.removeprefix("weights/"): value for key, value in tensors.items() if key[0] == "w"}
        with torch.no_grad():
            for name, value in self.trained():
                value.copy_(own[name])
        self._climb.restore(
            {
                key.removeprefix("climb/"): value.to(self._devices.device)
                for key, value in tensors.items()
                if key[0] == "c"
            }
        )
        self._done = int(rest["done"])

    def about(self) -> dict[str, Any]:
        """For a run's record: what the last digits depend on, and where time may have gone."""
        return {
            "threads": torch.get_num_threads(),
            "precision": self._devices.precision,
            "device": self._devices.device.type,
            "processes": self._devices.world,
            "parameters": sum(value.numel() for _, value in self.trained()),
            "steps": self._steps,
        }

    @abstractmethod
    def _batches(self, epoch: int) -> list[list[int]]:
        """Row numbers, the same ones for the same epoch each time."""

    @abstractmethod
    def _learn(self, rows: Sequence[int], epoch: int) -> float:
        """One step; the loss."""

    @abstractmethod
    def _told(self) -> Iterable[Any]:
        """What is learned, as JSON."""

    def _adapted(self) -> Iterator[tuple[str, Any]]:
        for name, module in self._model.get_base_model().named_modules():
            if hasattr(module, "get_delta_weight"):
                yield name, module

    def _of(self) -> str:
        """SHA-256 over spec, tokens and shapes of what is trained."""
        if self._digest is not None:
            return self._digest
        told = self._spec.model_dump(mode="json", exclude={"checkpoint_seconds"})
        digest = hashlib.sha256(json.dumps([told, asdict(self.recipe)], sort_keys=True).encode())
        digest.update(json.dumps(list(self._told())).encode())
        digest.update(json.dumps([(name, tuple(one.shape)) for name, one in self.trained()]).encode())
        self._digest = digest.hexdigest()
        return self._digest


def seed(*numbers: int) -> None:
    torch.manual_seed(int(np.random.SeedSequence(numbers).generate_state(1)[0]))
