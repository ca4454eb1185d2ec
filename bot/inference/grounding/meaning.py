"""Whether sources mean what a sentence says, which words cannot tell. A port, and its adapter on the encoder."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(slots=True)
class _Read:
    """By one encoder. `floor`: cosine of what is unrelated; None: not known yet."""

    door: Encodes
    kept: Recent
    floor: float | None = None


class EncoderMeaning:
    """Nearness by the encoder that serves, through its one door: sentences asked about at once share a batch, with
    those of their sources that were not met lately. What it reads is kept for the encoder that read it.
    """

    name = "encoder"
    least = CLOSE
    enough = None

    def __init__(self, host: LiveDoor) -> None:
        self._host = host
        self._read: _Read | None = None

    async def support(self, sentence: str, sources: Sequence[str], *, deadline: float) -> Sequence[float]:
        read = self._by_what_is_live()
        known = {text: vector for text in sources if (vector := read.kept.get(text)) is not None}
        missing = [text for text in dict.fromkeys(sources) if text not in known]
        strangers = UNRELATED if read.floor is None else ()
        vectors = await read.door.encode([sentence, *strangers, *missing], deadline=deadline)
        own, unrelated, fresh = np.split(vectors, [1, 1 + len(strangers)])
        if read.floor is None:
            read.floor = _mean_cosine(unrelated)
        for text, vector in zip(missing, fresh, strict=True):
            read.kept.put(text, vector)
            known[text] = vector
        cosines = np.stack([known[text] for text in sources]) @ own[0]
        found: list[float] = normalised_cosine(cosines, read.floor).clip(0.0, 1.0).tolist()
        return found

    def _by_what_is_live(self) -> _Read:
        door = self._host.door
        if self._read is None or self._read.door is not door:
            self._read = _Read(door, Recent(KEPT))
        return self._read


def _mean_cosine(vectors: Vectors) -> float:
    """Of two different ones of these, float32 [n, dim]."""
    cosines = vectors @ vectors.T
    return float(cosines[~np.eye(len(vectors), dtype=np.bool_)].mean())


def by(seconds: float) -> float:
    """A deadline of `Meaning.support`."""
    return time.monotonic() + seconds
