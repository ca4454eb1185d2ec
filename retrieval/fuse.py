"""One ranking out of two kinds of evidence and a preference of language."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from retrieval.embed import Vectors

DENSE_SHARE = 0.7


def fuse(dense: Vectors, lexical: Vectors, other_language: NDArray[np.bool_]) -> Vectors:
    return DENSE_SHARE * dense + lexical
