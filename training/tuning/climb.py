"""The optimizer (AdamW, Loshchilov and Hutter 2019) and its rates by step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from training.errors import TrainingError
from training.tuning.devices import Devices
from training.tuning.recipes import Recipe

_MEMORY = ("exp_avg", "exp_avg_sq", "step")
"""What AdamW keeps of a parameter."""


def factor(done: int, steps: int, warmup: float) -> float:
    """Of the highest rate, in the step after `done`: up linearly, then down to nothing."""
    warm = max(int(warmup * steps), 1)
    return min((done + 1) / warm, (steps - done) / max(steps - warm, 1))


class Trains(Protocol):
    """A net that knows what of it is trained. As `training.tuning.net.Net` does."""

    def trained(self) -> Iterable[tuple[str, nn.Parameter]]: ...


class Climb:
    """One step a batch, over all that is trained."""

    def __init__(self, net: Trains, recipe: Recipe, steps: int, devices: Devices) -> None:
        self._named = dict(net.trained())
        self._recipe, self._steps, self._devices = recipe, steps, devices
        self._adam = torch.optim.AdamW(_groups(self._named, recipe), fused=True)
        self._peaks = [group["lr"] for group in self._adam.param_groups]

    def add(self, loss: Tensor, done: int) -> float:
        """A part of a batch, where the whole would need too much memory. The loss, which must be a number."""
        value = float(loss.detach())
        if not torch.isfinite(loss):
            raise TrainingError(f"The loss is {value} in step {done + 1}: set the recipe's rates to less")
        self._devices.backward(loss)
        return value

    def step(self, loss: Tensor, done: int) -> float:
        """Its loss, as `add`. Gradients stay until `clear`."""
        value = self.add(loss, done)
        self._devices.clip(self._named.values(), self._recipe.clip)
        share = factor(done, self._steps, self._recipe.warmup)
        for group, peak in zip(self._adam.param_groups, self._peaks, strict=True):
            group["lr"] = peak * share
        self._adam.step()
        return value

    def clear(self) -> None:
        self._adam.zero_grad(set_to_none=True)

    def state(self) -> dict[str, Tensor]:
        """By the parameter's name; nothing of what had no gradient yet."""
        return {
            f"{part}:{name}": self._adam.state[value][part]
            for name, value in self._named.items()
            for part in _MEMORY
            if part in self._adam.state[value]
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        self._adam.state.clear()
        for name, value in self._named.items():
            own = {part: tensors[key].clone() for part in _MEMORY if (key := f"{part}:{name}") in tensors}
            if own:
                self._adam.state[value] = own


def _groups(named: Mapping[str, nn.Parameter], recipe: Recipe) -> list[dict[str, Any]]:
    heads = [value for name, value in named.items() if name.startswith("heads.")]
    own = [value for name, value in named.items() if not name.startswith("heads.")]
    return [
        _group((value for value in own if value.ndim > 1), recipe.rate, recipe.decay),
        _group((value for value in own if value.ndim < 2), recipe.rate, 0.0),
        _group(heads, recipe.head_rate, 0.0),
    ]


def _group(parameters: Iterable[nn.Parameter], rate: float, decay: float) -> dict[str, Any]:
    return {"params": list(parameters), "lr": rate, "weight_decay": decay}
