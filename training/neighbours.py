"""The texts that were learned from, beside a classifier: where a label has few, each of them counts by itself.

A kernel density for each label, of the distance to its texts (Parzen 1962), added to a classifier's own logarithms as
in Khandelwal et al. 2020, Generalization through Memorization. numpy alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

WIDTH = 0.05
"""Of the kernel, in cosines of vectors seen from their mean; on validation texts .03 to .07 are as good."""
_FLOOR = 1e-6
"""No label is less likely than this by its texts alone."""
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Neighbours:
    """`vectors` [n, dim]: unit vectors seen from `centre` [dim]; `labels` [n]: the place of each one's label among
    `known` labels, in ascending order.
    """

    centre: Floats
    vectors: Floats
    labels: NDArray[np.int32]
    known: int

    @classmethod
    def of(cls, vectors: Floats, labels: Sequence[int] | NDArray[np.intp], known: int) -> Neighbours:
        """float32 [n, dim], and the place of each one's label."""
        order = np.argsort(labels, kind="stable")
        centre = vectors.mean(axis=0)
        return cls(
            centre, _seen_from(centre, vectors[order]), np.asarray(labels, dtype=np.int32)[order], known
        )

    def log_probabilities(self, vectors: Floats) -> Floats:
        """float32 [n, dim] -> float32 [n, known]."""
        parts = [self._logs(vectors[at : at + _AT_ONCE]) for at in range(0, len(vectors), _AT_ONCE)]
        return np.concatenate(parts) if parts else np.zeros((0, self.known), dtype=np.float32)

    def _logs(self, vectors: Floats) -> Floats:
        near = np.exp((_seen_from(self.centre, vectors) @ self.vectors.T - 1.0) / np.float32(WIDTH))
        begins = np.flatnonzero(np.diff(self.labels, prepend=-1))
        sums = np.zeros((len(vectors), self.known), dtype=np.float32)
        sums[:, self.labels[begins]] = np.add.reduceat(near, begins, axis=1)
        whole = np.maximum(sums.sum(axis=1, keepdims=True), np.finfo(np.float32).tiny)
        logs: Floats = np.log(sums / whole + np.float32(_FLOOR))
        return logs


def _seen_from(centre: Floats, vectors: Floats) -> Floats:
    moved = vectors - centre
    unit: Floats = moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), np.float32(1e-12))
    return unit
