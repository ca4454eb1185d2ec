"""Whether sources mean what a sentence says, which words cannot tell. A port, and its adapter on the encoder."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from bot.inference.recent import Recent
from retrieval.embed import Vectors

KEPT = 2_048
"""Sentences of passages whose vectors are kept: 3 MB at 384 dimensions."""
CLOSE = 0.9
"""Cosine below which a sentence of a source's words does not say what the source says.

Of sentences of the example bots with three words in ten left out, or a clause, 95 of 100 have .91 (English) or .94
(Chinese) and more with the whole; other sentences of the same answer have .84 or .89. An encoder does not see who does
what to whom: with its words in another order a sentence still has .95.
"""


class Meaning(Protocol):
    """Contract suite: tests/contract/grounding. A model of entailment (NLI) fits behind it."""

    @property
    def name(self) -> str: ...

    @property
    def least(self) -> float:
        """Support below which a sentence is withheld, though its words stand in the source."""
        ...

    @property
    def enough(self) -> float | None:
        """Support from which on other words than the source's may be said; None: never. Numbers, names, links and
        negations have to stand in the source all the same.
        """
        ...

    async def support(self, sentence: str, sources: Sequence[str], *, deadline: float) -> Sequence[float]:
        """0..1 for each of the sources: how far it means what the sentence says. The same text has 1.

        `deadline`: of `time.monotonic`. Raises Busy, InferenceError.
        """
        ...


class Encodes(Protocol):
    """`bot.inference.door.Door` of what is live."""

    async def encode(self, texts: Sequence[str], *, deadline: float) -> Vectors: ...


class LiveDoor(Protocol):
    """`bot.inference.host.Host`."""

    @property
    def door(self) -> Encodes: ...


class EncoderMeaning:
    """Cosine of the encoder that serves, through its one door: sentences asked about at once share a batch, with
    those of their sources that were not met lately. What it reads is kept for the encoder that read it.
    """

    name = "encoder"
    least = CLOSE
    enough = None

    def __init__(self, host: LiveDoor) -> None:
        self._host = host
        self._door: Encodes | None = None
        self._kept = Recent(KEPT)

    async def support(self, sentence: str, sources: Sequence[str], *, deadline: float) -> Sequence[float]:
        door = self._host.door
        if door is not self._door:
            self._door, self._kept = door, Recent(KEPT)
        kept = self._kept
        known = {text: vector for text in sources if (vector := kept.get(text)) is not None}
        missing = [text for text in dict.fromkeys(sources) if text not in known]
        vectors = await door.encode([sentence, *missing], deadline=deadline)
        for text, vector in zip(missing, vectors[1:], strict=True):
            kept.put(text, vector)
            known[text] = vector
        cosines = np.stack([known[text] for text in sources]) @ vectors[0]
        return [min(max(one, 0.0), 1.0) for one in cosines.tolist()]


def by(seconds: float) -> float:
    """A deadline of `Meaning.support`."""
    return time.monotonic() + seconds
