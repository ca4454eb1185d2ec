"""The floor that entities are measured against: a linear classifier of B, I and O over the states of the encoder's last
layer, which stays as it is. Each atom by itself: no neighbours, no words, no look at what follows what.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from retrieval.embed import Tokens
from training.entities.fit import SPARE, STEPS, Strength, none_found
from training.entities.marks import Annotated, Floats, Marked
from training.entities.tagger import Tagger, tagged


def fit_plain(rows: Sequence[Annotated]) -> Tagger:
    """On all rows, by softmax. Deterministic: convex, and fitted by L-BFGS. It is a tagger like others."""
    rows = [row for row in rows if row.text.places]
    kinds = tuple(sorted({span.kind for row in rows for span in row.spans}))
    empty = none_found(rows[0].text.states.shape[1] if rows else 0)
    if not kinds:
        return empty
    states = np.concatenate([row.text.states for row in rows])
    mean, scale = states.mean(axis=0), states.std(axis=0) + SPARE
    tags = [tag for row in rows for tag in tagged(row.text.places, row.spans, kinds)]
    weights, bias = _softmax((states - mean) / scale, tags, 1 + 2 * len(kinds), Strength().states)
    size = len(bias)
    return replace(
        empty,
        kinds=kinds,
        mean=mean,
        scale=scale,
        states=np.stack([np.zeros_like(weights), weights, np.zeros_like(weights)]),
        marks=np.zeros((0, size), np.float32),
        bias=bias,
        first=np.zeros(size, np.float32),
        follows=np.zeros((size, size), np.float32),
    )


def of_layer(rows: Sequence[Annotated], number: int, width: int) -> list[Annotated]:
    """Rows whose states are those of several layers, `width` each, with those of one."""
    part = slice(number * width, (number + 1) * width)
    return [replace(row, text=_with(row.text, part)) for row in rows]


def _with(text: Marked, part: slice) -> Marked:
    return replace(text, tokens=Tokens(text.tokens.places, text.tokens.states[:, part]))


def _softmax(seen: Floats, tags: Sequence[int], size: int, held: float) -> tuple[Floats, Floats]:
    """float32 [width, size], [size]."""
    import torch

    torch.set_num_threads(1)
    known, right = torch.from_numpy(seen.astype(np.float32)), torch.tensor(tags)
    weights = torch.zeros((seen.shape[1], size), requires_grad=True)
    bias = torch.zeros(size, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights, bias], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Any:
        optimizer.zero_grad()
        total = torch.nn.functional.cross_entropy(known @ weights + bias, right, reduction="sum")
        total = total + 0.5 * held * weights.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return weights.detach().numpy(), bias.detach().numpy()
