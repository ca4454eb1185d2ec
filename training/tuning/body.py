"""An encoder in two parts: layers that stay as they are, and layers above them that are trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from training import export
from training.errors import TrainingError
from training.tuning.material import Numbers

CHUNK = 10_000
"""Texts that are given to the tokenizer at once."""
_CLOSE = 1e-5
"""Layers that get what they get in the model give the same states, or all but the last digits of them."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token ids of n texts, one after the other: `ids` int32, `lengths` [n]."""

    ids: NDArray[np.int32]
    lengths: Numbers
    starts: Numbers

    def row(self, row: int) -> NDArray[np.int32]:
        return self.ids[self.starts[row] : self.starts[row] + self.lengths[row]]


class Body:
    """`below` and then `above` give the encoder's vectors; where `frozen` is 0, `below` only looks up embeddings."""

    def __init__(self, folder: Path, layers: int, *, device: torch.device, adapted: bool = False) -> None:
        """`layers`: upper layers that may change; a model that has fewer may change in all. `adapted`: whether it is to
        get adapters, so that one which cannot be taken apart will do as it is. Raises `TrainingError`.
        """
        self.device = device
        self._model = export.load(str(folder), attention=None).to(device)
        self._shape = export.shape_of(self._model)
        transformer: Any = self._model[0]
        self.inner: nn.Module = transformer.auto_model
        self.inner.requires_grad_(False)
        self.pad, self.limit, self.dim = self._shape.pad_id, self._shape.max_length, self._shape.dim
        self._layers = self._taken_apart()
        if self._layers is None and not adapted:
            _refuse_part(self.inner, layers)
        self.frozen = 0 if self._layers is None else max(len(self._layers) - layers, 0)

    @property
    def trained(self) -> list[nn.Module]:
        """Upper layers in their order; the model itself where it cannot be taken apart."""
        return [self.inner] if self._layers is None else self._layers[self.frozen :]

    def thaw(self) -> None:
        """Let the trained layers change; embeddings never do."""
        for part in self.trained:
            part.requires_grad_(True)
        tables: Any = self.inner
        for frozen in (tables.get_input_embeddings(), getattr(tables, "embeddings", None)):
            if frozen is not None:
                frozen.requires_grad_(False)

    def tokens(self, texts: Sequence[str], limit: int) -> Tokens:
        """With the prefix that serving puts before every text. `limit`: tokens of a text."""
        parts, lengths = [], []
        most = min(limit, self.limit)
        for begin in range(0, len(texts), CHUNK):
            some = [self._shape.prefix + text for text in texts[begin : begin + CHUNK]]
            rows = self._model.tokenizer(some, truncation=True, max_length=most)["input_ids"]
            lengths += [len(row) for row in rows]
            parts.append(np.concatenate([np.array(row, dtype=np.int32) for row in rows]))
        found = np.array(lengths, dtype=np.intp)
        ids = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int32)
        return Tokens(ids, found, np.cumsum(found) - found)

    @torch.no_grad()
    def below(self, ids: Tensor, mask: Tensor | None) -> Tensor:
        """int64 [n, length], bool [n, length] -> float32 [n, length, dim]; the ids themselves where the model cannot
        be taken apart.
        """
        ids = ids.to(self.device)
        if self._layers is None:
            return ids
        return _through(
            self._layers[: self.frozen], self._embeddings(input_ids=ids), _wide(mask, self.device)
        )

    def above(self, states: Tensor, mask: Tensor | None) -> Tensor:
        """What `below` gives -> unit vectors, float32 [n, dim]."""
        mask = mask if mask is None else mask.to(self.device)
        if self._layers is None:
            seen = torch.ones_like(states) if mask is None else mask.long()
            states = self.inner(input_ids=states, attention_mask=seen).last_hidden_state
        else:
            states = _through(self._layers[self.frozen :], states, _wide(mask, self.device))
        return functional.normalize(self._pooled(states.float(), mask), dim=-1)

    def _pooled(self, states: Tensor, mask: Tensor | None) -> Tensor:
        if self._shape.pooling == "cls":
            return states[:, 0]
        if mask is None:
            return states.mean(dim=1)
        weight = mask.unsqueeze(-1).to(states.dtype)
        return (states * weight).sum(dim=1) / weight.sum(dim=1)

    @property
    def _embeddings(self) -> Any:
        return self.inner.embeddings

    def _taken_apart(self) -> list[nn.Module] | None:
        """Its layers, or None if running them one by one does not give what the model gives."""
        layers = getattr(getattr(self.inner, "encoder", None), "layer", None)
        if not isinstance(layers, nn.ModuleList) or not hasattr(self.inner, "embeddings"):
            return None
        ids = torch.from_numpy(self.tokens(["A probe: 测试。"], self.limit).ids).long()[None].to(self.device)
        with torch.no_grad():
            theirs = self.inner(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
            try:
                ours = _through(list(layers), self._embeddings(input_ids=ids), None)
            except (TypeError, ValueError, AttributeError, RuntimeError):  # its layers want more than states
                return None
        return list(layers) if torch.allclose(ours, theirs, atol=_CLOSE) else None


def _refuse_part(inner: nn.Module, layers: int) -> None:
    depth = getattr(getattr(inner, "config", None), "num_hidden_layers", 0)
    if layers < depth or not depth:
        raise TrainingError(
            f"Upper layers of a {type(inner).__name__} cannot be trained alone: set layers to "
            f"{depth or 'the number it has'} to train all of them, or take the method lora"
        )


def _through(layers: Sequence[nn.Module], states: Tensor, mask: Tensor | None) -> Tensor:
    for layer in layers:
        out = layer(states, attention_mask=mask)
        states = out[0] if isinstance(out, tuple) else out
    return states


def _wide(mask: Tensor | None, device: torch.device) -> Tensor | None:
    """As attention takes it: [n, 1, 1, length]."""
    return None if mask is None else mask.to(device)[:, None, None, :]
