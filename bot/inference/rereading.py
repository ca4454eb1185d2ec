"""A second look at what was found, by a reranker: where there is one, and where it is not clear what is meant.

It reads the message and each answer together and says which of them is meant. How likely it is that any of them is
right stays as the calibrator has it: a model that a bot was not calibrated with makes it no surer than it was.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from bot.domain.decision import Candidate
from bot.domain.followup import contextual
from bot.inference.understanding import Ask, Live, Understanding
from retrieval.errors import RetrievalError
from retrieval.rerank.port import Reranker, Scores
from retrieval.types import Hit

log = logging.getLogger(__name__)

SHARE = 0.5
"""What the reranker's log-odds count for beside the calibrator's: two views of the same words are not independent."""
MOST = 8.0
"""Log-odds beyond this count for no more: some models answer in tens."""
SURE = 0.9
"""From here on there is nothing to look at again."""
LOST = 0.05
"""Where it is less likely than this that any candidate is right, none is said anyhow."""
MAX_CHARACTERS = 1_000
"""Of an answer: more than a reranker reads of it."""
PATIENCE_S = 1.0
"""A message waits so long at the most; then the first ranking stands."""
MAX_WAITING = 32
"""Messages; for one more the first ranking stands at once."""


class Rereader:
    """Runs a reranker in a thread of its own, one message's passages at a time. `close` once."""

    def __init__(self, reranker: Reranker) -> None:
        self._reranker = reranker
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kefu-reranker")
        self._waiting = 0

    @property
    def name(self) -> str:
        return self._reranker.name

    async def reread(self, live: Live, ask: Ask, seen: Understanding, *, deadline: float) -> Understanding:
        """`seen` with its candidates weighed anew; as it is where that is not needed, or comes too late (`deadline` of
        `time.monotonic`), or fails. What a promise was learned with is left as it is.
        """
        if live.promised is not None or not in_doubt(seen) or self._waiting >= MAX_WAITING:
            return seen
        text = contextual(ask.previous, ask.said) if seen.contextual and ask.previous else ask.said
        hits = list({hit.entry.id: hit for hit in seen.hits}.values())
        until = min(deadline, time.monotonic() + PATIENCE_S)
        scores = await self._scored(text, [_passage(hit) for hit in hits], until)
        if scores is None:
            return seen
        told = {hit.entry.id: score for hit, score in zip(hits, scores.tolist(), strict=True)}
        return replace(seen, candidates=reweighed(seen.candidates, told), reranked=True)

    async def close(self) -> None:
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    async def _scored(self, text: str, passages: Sequence[str], until: float) -> Scores | None:
        loop = asyncio.get_running_loop()
        self._waiting += 1
        job = loop.run_in_executor(self._thread, self._score, text, passages, until)
        job.add_done_callback(self._done)
        try:
            async with asyncio.timeout(until - time.monotonic()):
                return await asyncio.shield(job)
        except TimeoutError:
            return None
        except RetrievalError as error:
            log.error("the first ranking stands: %s", error)
            return None

    def _done(self, job: asyncio.Future[Scores | None]) -> None:
        """Whoever waited may be gone: a run that has begun is not broken off."""
        self._waiting -= 1
        if not job.cancelled():
            job.exception()

    def _score(self, text: str, passages: Sequence[str], until: float) -> Scores | None:
        """In the thread."""
        return None if time.monotonic() >= until else self._reranker.score(text, passages)


def in_doubt(seen: Understanding) -> bool:
    """Whether one of several answers is likely enough, and none of them sure."""
    if not seen.candidates or seen.candidates[0].exact or seen.settled:
        return False
    several = len({candidate.key for candidate in seen.candidates}) > 1
    return several and seen.best < SURE and seen.known >= LOST


def reweighed(candidates: Sequence[Candidate], scores: Mapping[str, float]) -> tuple[Candidate, ...]:
    """Best first. A topic's confidence is multiplied by exp(SHARE x the best score of its answers), and all are brought
    back to the sum that they had; answers of one topic keep their proportions. `scores`: log-odds by entry.
    """
    sure: dict[str, float] = {}
    said: dict[str, float] = {}
    for one in candidates:
        score = min(max(scores.get(one.entry, -MOST), -MOST), MOST)
        sure[one.key] = max(sure.get(one.key, 0.0), one.confidence)
        said[one.key] = max(said.get(one.key, -MOST), score)
    raised = {key: confidence * math.exp(SHARE * said[key]) for key, confidence in sure.items()}
    whole = min(sum(sure.values()), 1.0) / (sum(raised.values()) or 1.0)
    factor = {key: whole * raised[key] / sure[key] if sure[key] else 0.0 for key in sure}
    found = [replace(one, confidence=one.confidence * factor[one.key]) for one in candidates]
    return tuple(sorted(found, key=lambda one: -one.confidence))


def _passage(hit: Hit) -> str:
    """The stored phrasing that is nearest, and the answer."""
    return f"{hit.phrase}\n{hit.entry.answer[:MAX_CHARACTERS]}"
