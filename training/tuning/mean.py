"""What is judged and saved in the weights' place: their running mean, steadier than where the last steps left them, and
of that as much as is blended with the weights that it began with.

An exponential moving average (Polyak and Juditsky 1992); of tuned language models: Lu et al. 2022, Improving
Generalization of Pre-trained Language Models via Stochastic Weight Averaging.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from training.tuning.blend import Blend
from training.tuning.net import Net

_BEGIN = 9
"""Until there are some ten times as many steps, the mean looks back over a tenth of them."""


class Mean:
    """`decay`: how much of the mean a step leaves as it is; with 0 it is the weights, and nothing is kept. `blend`: the
    share of the way to it from the weights as they are now.
    """

    def __init__(self, net: Net, decay: float, *, blend: float) -> None:
        self._own = {name: value.detach() for name, value in net.trained()}
        self._blend = Blend(self._own, blend)
        self._decay = decay
        self._mean: dict[str, Tensor] = {}

    @torch.no_grad()
    def step(self, done: int) -> None:
        """After the optimizer's; `done` of them lay behind."""
        if not self._decay:
            return
        if not self._mean:
            self._mean = {name: value.clone() for name, value in self._own.items()}
        decay = min(self._decay, (done + 1) / (done + 1 + _BEGIN))
        moved: Any = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        moved(list(self._mean.values()), list(self._own.values()), done)

    @contextmanager
    def stands(self) -> Iterator[None]:
        """The mean, or the blend of it, in the weights' place."""
        before = {name: value.clone() for name, value in self._own.items()}
        self._put(self._blend.of(self._mean or self._own))
        try:
            yield
        finally:
            self._put(before)

    def state(self) -> dict[str, Tensor]:
        return dict(self._mean)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        self._mean = {name: tensors[name].clone() for name in self._own if name in tensors}

    @torch.no_grad()
    def _put(self, weights: Mapping[str, Tensor]) -> None:
        for name, value in weights.items():
            self._own[name].copy_(value)
