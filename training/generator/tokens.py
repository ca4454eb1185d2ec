"""Examples as tokens: the prompt as serving reads it, and the answer, which alone is learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from training.generator.examples import Example
from training.language.base import asked

IGNORED = -100
"""The label of what is not learned, as `torch.nn.functional.cross_entropy` has it."""


@dataclass(frozen=True, slots=True)
class Taught:
    """Tokens of one example: `asked`, then `said`."""

    asked: tuple[int, ...]
    said: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.asked) + len(self.said)


def taught(examples: Sequence[Example], tokenizer: Any, *, max_length: int) -> list[Taught | None]:
    """In their order; None for one that is longer than `max_length` tokens. Raises `TrainingError`."""
    rows = (Taught(asked(one.prompt, tokenizer), _said(one, tokenizer)) for one in examples)
    return [row if len(row) <= max_length else None for row in rows]


def _said(example: Example, tokenizer: Any) -> tuple[int, ...]:
    """A text's line ends it, a chat's turn its end token."""
    ids = tuple(tokenizer(example.answer, add_special_tokens=False).input_ids)
    return ids if isinstance(example.prompt, str) else (*ids, tokenizer.eos_token_id)


@dataclass(frozen=True, slots=True)
class Padded:
    """Rows of one batch, padded on the left, so that all answers end together. `keep`: of the positions at the end,
    those whose logits are needed. `labels`: [rows, keep], of the token after each of them.
    """

    ids: Tensor
    mask: Tensor
    positions: Tensor
    labels: Tensor
    keep: int

    def to(self, device: torch.device) -> Padded:
        ids, mask, positions, labels = (
            part.to(device) for part in (self.ids, self.mask, self.positions, self.labels)
        )
        return Padded(ids, mask, positions, labels, self.keep)


def padded(rows: Sequence[Taught], *, pad: int) -> Padded:
    longest, answer = max(map(len, rows)), max(len(row.said) for row in rows)
    ids = np.full((len(rows), longest), pad, dtype=np.int64)
    mask = np.zeros_like(ids)
    labels = np.full((len(rows), answer), IGNORED, dtype=np.int64)
    for number, row in enumerate(rows):
        ids[number, longest - len(row) :] = [*row.asked, *row.said]
        mask[number, longest - len(row) :] = 1
        labels[number, answer - len(row.said) :] = row.said
    positions = np.maximum(mask.cumsum(axis=1) - 1, 0)
    tensors = [torch.from_numpy(part) for part in (ids, mask, positions, labels)]
    return Padded(tensors[0], tensors[1], tensors[2], tensors[3], answer + 1)
