"""Vectors of what was said lately: a message that leans on the one before needs its vector once more."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from threading import Lock

from retrieval.embed import Vectors

KEPT = 4_096
"""Messages: 6 MB at 384 dimensions."""


class Recent:
    """The `kept` texts used last, by their digest: the words themselves are not held. For any thread."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._vectors: OrderedDict[bytes, Vectors] = OrderedDict()
        self._lock = Lock()

    def get(self, text: str) -> Vectors | None:
        """float32 [dim]."""
        with self._lock:
            return self._vectors.get(_digest(text))

    def put(self, text: str, vector: Vectors) -> None:
        """`vector`: float32 [dim], copied: it may be a row of a whole batch."""
        key = _digest(text)
        with self._lock:
            self._vectors[key] = vector.copy()
            self._vectors.move_to_end(key)
            if len(self._vectors) > self._kept:
                self._vectors.popitem(last=False)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
