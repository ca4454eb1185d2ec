"""One encoder that serves: its door, and what it made of the messages said lately. Two encoders' vectors never meet."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from bot.inference.child import Progress
from bot.inference.door import Door, Encoded
from bot.inference.recent import Recent
from bot.inference.understanding import Ask, Live, Understanding
from bot.observer import UNOBSERVED, Observer
from retrieval.batches import longest_first
from retrieval.embed import Encoder, Vectors

BATCH = 32
PATIENCE_S = 600.0
"""How long a background text may wait behind customers' messages."""


class Reader:
    """`close` when nothing that is live pins it any more."""

    def __init__(self, encoder: Encoder, *, observer: Observer = UNOBSERVED) -> None:
        self.fingerprint = encoder.fingerprint
        self.door = Door(encoder, observer=observer)
        self._recent = Recent()

    async def understand(self, live: Live, ask: Ask, *, deadline: float) -> Understanding:
        """One forward, then head, search and calibration off the loop. Raises Busy, InferenceError.

        The question before was encoded when it came; only after a restart or switch it is encoded along with this one.
        """
        before = self._recent.get(ask.previous) if ask.previous is not None else None
        texts = [ask.said] if ask.previous is None or before is not None else [ask.said, ask.previous]
        return await self.door.run(
            texts, (live, ask, before), self._understand, deadline=deadline, tokens=live.finder.wants_tokens
        )

    def _understand(
        self, items: Sequence[tuple[Live, Ask, Vectors | None]], encoded: Sequence[Encoded]
    ) -> list[Understanding]:
        found: dict[int, Understanding] = {}
        for live in {id(live): live for live, _, _ in items}.values():
            places = [place for place, item in enumerate(items) if item[0] is live]
            asks = [items[place][1] for place in places]
            known = [_with(encoded[place].vectors, items[place][2]) for place in places]
            tokens = [next(iter(encoded[place].tokens), None) for place in places]
            found |= zip(places, live.understand(asks, known, tokens), strict=True)
        for (_, ask, _), one in zip(items, encoded, strict=True):
            self._recent.put(ask.said, one.vectors[0])
        return [found[place] for place in range(len(items))]

    async def embed(self, texts: Sequence[str], known: dict[str, Vectors], progress: Progress) -> None:
        """Add to `known` what it lacks of `texts`: encoded in small batches, between the customers' messages."""
        lacking = [*dict.fromkeys(t for t in texts if t not in known)]
        missing = [lacking[number] for number in longest_first(lacking)]
        for start in range(0, len(missing), BATCH):
            batch = missing[start : start + BATCH]
            vectors = await self.door.encode(batch, deadline=time.monotonic() + PATIENCE_S)
            known.update(zip(batch, np.asarray(vectors), strict=True))
            progress("Reading questions and answers", min(start + BATCH, len(missing)), len(missing))

    async def close(self) -> None:
        """Finish what is queued, and let the encoder go."""
        await self.door.close()


def _with(vectors: Vectors, before: Vectors | None) -> Vectors:
    return vectors if before is None else np.vstack([vectors, before])
