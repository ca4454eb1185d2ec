"""The encoder port: text in, unit vectors out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""float32 [n, dim], each row of length 1."""


class Encoder(Protocol):
    """Turns texts into unit vectors. Blocking and thread-safe: call it off the event loop."""

    @property
    def dim(self) -> int: ...

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of everything that decides what a vector looks like."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """float32 [len(texts), dim]. Order kept; an empty text is a valid text. Raises `EncoderError`."""
        ...
