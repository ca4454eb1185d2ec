"""What is trained: the encoder's upper layers and a cosine classifier a task."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from training.tuning.body import Body


def cut_off(states: Tensor, share: float) -> Tensor:
    """float32 [n, length, dim] with so many of the tokens' states blank; token ids as they are."""
    if not share or not states.is_floating_point():
        return states
    left = torch.rand(states.shape[:2], device=states.device) >= share
    return states * left.unsqueeze(-1)


class Cosine(nn.Module):
    """Logits are scale x unit vector . row, plus a bias. A row starts as a unit vector."""

    def __init__(self, rows: Tensor, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(rows)
        self.bias = nn.Parameter(torch.zeros(len(rows), device=rows.device))
        self.scale = scale

    def forward(self, vectors: Tensor) -> Tensor:
        with torch.autocast(vectors.device.type, enabled=False):  # bf16 has three digits: too few for logits
            return self.scale * vectors.float() @ self.weight.T + self.bias


class Net(nn.Module):
    """`heads` are by task; None where a task has no classifier."""

    def __init__(self, body: Body, dropout: float) -> None:
        super().__init__()
        self._body = [body]  # not among its own parts: frozen layers stay out
        self.layers = nn.ModuleList(body.trained)
        self.heads = nn.ModuleDict()
        for module in self.layers.modules():
            if isinstance(module, nn.Dropout):
                module.p = dropout

    def forward(
        self, states: Tensor, mask: Tensor | None, task: int | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """What `Kept` gives -> unit vectors [n, dim], and logits [n, labels] if the task has a classifier."""
        vectors = self._body[0].above(states, mask)
        head = None if task is None or str(task) not in self.heads else self.heads[str(task)]
        return vectors, None if head is None else head(vectors)

    def trained(self) -> Iterator[tuple[str, nn.Parameter]]:
        """By name, in an order that never changes."""
        return ((name, value) for name, value in self.named_parameters() if value.requires_grad)
