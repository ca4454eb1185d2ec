"""The reranker port: a model that reads a question and a passage together, and says how well the latter answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]


class Reranker(Protocol):
    """Blocking and thread-safe: call it off the event loop. Contract suite: tests/contract/retrieval."""

    @property
    def name(self) -> str:
        """For traces and logs."""
        ...

    def score(self, question: str, passages: Sequence[str]) -> Scores:
        """float32 [len(passages)], in their order: log-odds that a passage answers the question, as far as the model
        knows. Of one question they can be compared with one another. Any text is valid. Raises `RerankerError`.
        """
        ...
