"""Part of the way from the weights as they began to the weights as they are: much of what was learned, and less of what
was forgotten.

Wortsman et al. 2022, Robust fine-tuning of zero-shot models (WiSE-FT).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


class Blend:
    """`share`: of the way, over 0 to 1; with 1 it is all of it, and nothing is kept. `own`: by name, as they begin."""

    def __init__(self, own: Mapping[str, Tensor], share: float) -> None:
        self._share = share
        self._begun = {n: v.clone() for n, v in own.items() if share < 1 and not _outer(n, v)}

    def of(self, ends: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """What stands in the place of weights that came so far."""
        if not self._begun:
            return ends
        parts = {n: torch.lerp(begun, ends[n], self._share) for n, begun in self._begun.items()}
        return {**ends, **parts}


def _outer(name: str, begun: Tensor) -> bool:
    """Adapters add a product, of which one factor begins at nothing: with a share of that one alone, so much of the
    product is added. The others, drawn at random, are as training left them.
    """
    return "lora_" in name and bool(begun.any())
