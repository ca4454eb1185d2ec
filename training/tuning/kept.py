"""States of frozen layers, computed once: they stay the same in every epoch."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.errors import TrainingError
from training.tuning.body import Body, Tokens
from training.tuning.material import Numbers
from training.tuning.recipes import Recipe

MB = 1 << 20
TOKENS = 2_048
"""In a batch without gradients: more is no quicker on a CPU."""


def equal(lengths: Numbers, limit: int = TOKENS) -> Iterator[Numbers]:
    """Rows in batches of equal length, shortest first: nothing is padded. `limit`: tokens a batch."""
    for length in np.unique(lengths):
        rows, step = np.flatnonzero(lengths == length), max(limit // int(length), 1)
        yield from (rows[begin : begin + step] for begin in range(0, len(rows), step))


class Kept:
    """What comes out of the frozen layers for each text: in memory, in a mapped file, or computed when it is asked for.

    All three give the same but for the last digits: a batch that is computed anew has other neighbours.
    """

    def __init__(self, body: Body, tokens: Tokens, recipe: Recipe, work: Path | None) -> None:
        self._body, self._tokens = body, tokens
        self._starts = np.concatenate([[0], np.cumsum(tokens.lengths)])
        mb = int(self._starts[-1]) * body.dim * 4 / MB
        self.where = _where(body, mb, recipe)
        self._left = int((recipe.keep_mb - mb) * MB) if self.where == "memory" else 0
        self._others: dict[tuple[int, ...], Tensor] = {}
        self._states = self._room(work) if self.where != "nowhere" else torch.empty(0)
        if self.where != "nowhere":
            self._fill()

    def rows(self, rows: Sequence[int] | Numbers) -> tuple[Tensor, Tensor | None]:
        """Input of the trained layers for some texts [n, longest, ...], and which of it is text, None for all of it."""
        if self.where == "nowhere":
            ids = [torch.from_numpy(self._tokens.row(row)).long() for row in rows]
            padded, mask = _stack(ids, self._body.pad)
            return self._body.below(padded, mask), mask
        starts = self._starts
        return _stack([self._states[starts[row] : starts[row + 1]] for row in rows], 0)

    def other(self, ids: Tensor) -> Tensor:
        """The same for n texts of equal length that need not be among ours: int64 [n, length].

        What has room stays, so that texts that are asked for after each epoch cost no second time.
        """
        if self.where == "nowhere":
            return self._body.below(ids, None)
        keys = [tuple(row) for row in ids.tolist()]
        new = [place for place, key in enumerate(keys) if key not in self._others]
        if not new:
            return torch.stack([self._others[key] for key in keys])
        found = self._body.below(ids, None).cpu()
        for place in new:
            if (size := found[place].nbytes) <= self._left:
                self._left -= size
                self._others[keys[place]] = found[place].clone()
        return found

    def _room(self, work: Path | None) -> Tensor:
        size = int(self._starts[-1]) * self._body.dim
        if self.where == "memory":
            return torch.empty(size).view(-1, self._body.dim)
        try:
            with tempfile.NamedTemporaryFile(dir=work, prefix="states-", suffix=".bin") as file:
                # A mapped page that finds no room on the disk would kill the process.
                os.posix_fallocate(file.fileno(), 0, size * 4)
                states = torch.from_file(file.name, shared=True, size=size, dtype=torch.float32)
        except OSError as error:
            raise TrainingError(
                f"No room for {size * 4 // MB} MB of frozen layers' states ({error}): free it or set keep_disk_mb to 0"
            ) from error
        return states.view(-1, self._body.dim)

    def _fill(self) -> None:
        for rows in equal(self._tokens.lengths):
            ids = torch.from_numpy(np.stack([self._tokens.row(row) for row in rows])).long()
            for row, states in zip(rows, self._body.below(ids, None), strict=True):
                self._states[self._starts[row] : self._starts[row + 1]] = states


def _where(body: Body, mb: float, recipe: Recipe) -> str:
    if not body.frozen:
        return "nowhere"
    return "memory" if mb <= recipe.keep_mb else "file" if mb <= recipe.keep_disk_mb else "nowhere"


def _stack(rows: list[Tensor], pad: int) -> tuple[Tensor, Tensor | None]:
    lengths = torch.tensor([len(row) for row in rows])
    longest = int(lengths.max())
    if bool((lengths == longest).all()):
        return torch.stack(rows), None
    padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=pad)
    return padded, torch.arange(longest)[None, :] < lengths[:, None]
