"""Prompts that begin alike as one sequence: what they have in common once, then the rest of each as a branch.

A branch sees what is common and itself, at the positions that it would have alone, so each comes to the scores of its
prompt by itself. Ten questions about one text cost a third of ten prompts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Ids = Sequence[int]


@dataclass(frozen=True, slots=True)
class Pack:
    """Token ids. `rows`: which of the prompts each branch is of."""

    common: tuple[int, ...]
    branches: tuple[tuple[int, ...], ...]
    rows: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.common) + sum(map(len, self.branches))


def packs(prompts: Sequence[Ids], *, max_length: int) -> list[Pack]:
    """As few as may be, none longer than `max_length` tokens; a prompt that is longer by itself is in none."""
    fit = [row for row, ids in enumerate(prompts) if ids and len(ids) <= max_length]
    if not fit:
        return []
    # Each branch keeps a token to be judged by, though one prompt be the beginning of another.
    alike = min(_alike([prompts[row] for row in fit]), min(len(prompts[row]) for row in fit) - 1)
    common = tuple(prompts[fit[0]][:alike])
    return [
        Pack(common, tuple(tuple(prompts[row][alike:]) for row in part), tuple(part))
        for part in _parts(fit, [len(ids) - alike for ids in prompts], max_length - alike)
    ]


def _alike(prompts: Sequence[Ids]) -> int:
    """With how many tokens all of them begin."""
    return next(
        (n for n, ids in enumerate(zip(*prompts, strict=False)) if len(set(ids)) > 1),
        len(min(prompts, key=len)),
    )


def _parts(rows: Sequence[int], sizes: Sequence[int], room: int) -> Iterator[list[int]]:
    part: list[int] = []
    taken = 0
    for row in rows:
        if part and taken + sizes[row] > room:
            yield part
            part, taken = [], 0
        part.append(row)
        taken += sizes[row]
    yield part


@dataclass(frozen=True, slots=True)
class Packed:
    """Of n tokens: `ids`, `positions` [1, n]; `mask` [1, 1, n, n], added to what attention finds; `ends`: where each
    branch ends.
    """

    ids: Tensor
    positions: Tensor
    mask: Tensor
    ends: Tensor


def packed(pack: Pack, *, dtype: torch.dtype, device: torch.device) -> Packed:
    ids, positions, branch = list(pack.common), list(range(len(pack.common))), [0] * len(pack.common)
    ends = []
    for number, own in enumerate(pack.branches, 1):
        ids += own
        positions += range(len(pack.common), len(pack.common) + len(own))
        branch += [number] * len(own)
        ends.append(len(ids) - 1)
    of = torch.tensor(branch, device=device)
    order = torch.arange(len(ids), device=device)
    seen = (order[:, None] >= order) & ((of[:, None] == of) | (of == 0))
    mask = torch.zeros(seen.shape, dtype=dtype, device=device).masked_fill_(~seen, torch.finfo(dtype).min)
    return Packed(
        torch.tensor([ids], device=device),
        torch.tensor([positions], device=device),
        mask[None, None],
        torch.tensor(ends, device=device),
    )
