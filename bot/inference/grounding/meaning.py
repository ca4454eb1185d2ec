"""Whether sources mean what a sentence says, which words cannot tell. A port, and its adapter on the encoder."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from bot.inference.recent import Recent
from retrieval.embed import Vectors
from retrieval.fuse import normalised_cosine

KEPT = 2_048
"""Sentences of passages whose vectors are kept: 3 MB at 384 dimensions."""
CLOSE = 0.53
"""Nearness below which a sentence of a source's words does not say what the source says: 1 for the same text, about 0
for what is UNRELATED. On that scale encoders can be compared; as a cosine it is .9 by the embedded one, .72 by the
example bank's.

Of sentences of the bank with three words in ten left out 95 of 100 have .60 (English) or .70 (Chinese) and more with
the whole by the embedded encoder, .56 or .49 by the bank's; half of the other sentences of the same answer have less
than .34 or .61, and .29 or .39. An encoder does not see who does what to whom.
"""
UNRELATED = (
    "The train leaves at nine.",
    "My sister plays the violin.",
    "It will rain in the mountains tomorrow.",
    "Add two eggs and stir the flour.",
    "他昨天去爬山了。",
    "这本小说很好看。",
    "冰箱里还有半个西瓜。",
    "比赛在下半场结束。",
)
"""What has nothing to do with one another: the mean cosine of two of these is an encoder's nothing."""


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
    """Nearness by the encoder that serves, through its one door: sentences asked about at once share a batch, with
    those of their sources that were not met lately. What it reads is kept for the encoder that read it.
    """

    name = "encoder"
    least = CLOSE
    enough = None

    def __init__(self, host: LiveDoor) -> None:
        self._host = host
        self._door: Encodes | None = None
        self._kept = Recent(KEPT)
        self._floor: float | None = None

    async def support(self, sentence: str, sources: Sequence[str], *, deadline: float) -> Sequence[float]:
        door = self._host.door
        if door is not self._door:
            self._door, self._kept, self._floor = door, Recent(KEPT), None
        kept, floor = self._kept, self._floor
        known = {text: vector for text in sources if (vector := kept.get(text)) is not None}
        missing = [text for text in dict.fromkeys(sources) if text not in known]
        strangers = UNRELATED if floor is None else ()
        vectors = await door.encode([sentence, *strangers, *missing], deadline=deadline)
        if floor is None:
            floor = _mean_cosine(vectors[1 : 1 + len(strangers)])
            if door is self._door:  # no other encoder went live meanwhile
                self._floor = floor
        for text, vector in zip(missing, vectors[1 + len(strangers) :], strict=True):
            kept.put(text, vector)
            known[text] = vector
        cosines = np.stack([known[text] for text in sources]) @ vectors[0]
        found: list[float] = normalised_cosine(cosines, floor).clip(0.0, 1.0).tolist()
        return found


def _mean_cosine(vectors: Vectors) -> float:
    """Of two different ones of these, float32 [n, dim]."""
    cosines = vectors @ vectors.T
    return float(cosines[~np.eye(len(vectors), dtype=np.bool_)].mean())


def by(seconds: float) -> float:
    """A deadline of `Meaning.support`."""
    return time.monotonic() + seconds
