"""The encoder port: text in, unit vectors out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""float32 [n, dim], each row of length 1."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the encoder made of the tokens of one text, in their order; of a text that was cut, the first ones.

    `places`: int32 [n, 2], first character in the text and the one after the last. `states`: float32 [n, width].
    """

    places: NDArray[np.int32]
    states: NDArray[np.float32]


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


class TokenEncoder(Encoder, Protocol):
    """An encoder that tells of single tokens too, in the same forward."""

    def encode_tokens(self, texts: Sequence[str]) -> tuple[Vectors, list[Tokens]]:
        """What `encode` gives, and the tokens of each text. Raises `EncoderError`."""
        ...
