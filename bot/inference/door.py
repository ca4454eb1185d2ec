"""The one way off the event loop to the encoder: concurrent texts share a batch, and nobody waits when it is idle."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar, cast

import numpy as np

from bot.clock import Clock, SystemClock
from bot.errors import Busy, InferenceError
from bot.observer import UNOBSERVED, Observer
from retrieval.embed import Encoder, TokenEncoder, Tokens, Vectors
from retrieval.errors import RetrievalError

T = TypeVar("T")
ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class Encoded:
    """`vectors`: float32 [texts of the item, dim]. `tokens`: of each of these texts, where they were asked for."""

    vectors: Vectors
    tokens: Sequence[Tokens] = ()


Work = Callable[[Sequence[ItemT], Sequence[Encoded]], Sequence[T]]
"""work(items, their texts encoded) -> a result for each."""

MAX_QUEUE = 1_024
"""Texts that may wait; more are refused at once instead of late."""
MAX_BATCH = 64
"""Texts taken in one go."""


@dataclass(slots=True)
class _Job(Generic[T]):
    texts: Sequence[str]
    item: Any
    work: Work[Any, T]
    deadline: float
    done: asyncio.Future[T]
    tokens: bool = False


@dataclass(frozen=True, slots=True)
class _Batch:
    """Jobs taken in one go. `encoded`: all texts of those that are `ready`, or what went wrong with them."""

    ready: Sequence[_Job[Any]]
    late: Sequence[_Job[Any]]
    began: float
    encoded: Encoded | Exception


class Door:
    """Runs `encode` in a thread of its own, and what follows directly on it in another: while one batch is followed up,
    the next is encoded.

    What is queued meanwhile becomes the next batch; a lone text goes at once. A text whose deadline (of
    `clock.monotonic`) has passed before its batch begins is dropped with `Busy`, as is one beyond the queue's end.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        clock: Clock | None = None,
        max_queue: int = MAX_QUEUE,
        observer: Observer = UNOBSERVED,
    ) -> None:
        self._encoder: Encoder | None = encoder
        self._observer = observer
        self._clock = clock or SystemClock()
        self._max_queue = max_queue
        self._queue: deque[_Job[Any]] = deque()
        self._waiting = 0
        self._idle = True  # the encoder's thread is not asked to serve
        self._lock = Lock()
        self._encoding = ThreadPoolExecutor(1, thread_name_prefix="kefu-encoder")
        self._following = ThreadPoolExecutor(1, thread_name_prefix="kefu-follow")
        self._followed: Future[None] | None = None  # the batch before; of the encoder's thread alone
        self._closed = False

    @property
    def waiting(self) -> int:
        """Texts in the queue."""
        return self._waiting

    async def run(
        self,
        texts: Sequence[str],
        item: ItemT,
        work: Work[ItemT, T],
        *,
        deadline: float,
        tokens: bool = False,
    ) -> T:
        """Encode the texts, then have `work` make a result of the item, off the loop. Raises Busy, InferenceError.

        Items of one batch with the same `work` are given to it together; where that fails, each alone. `tokens` may be
        asked for where the encoder tells them.
        """
        loop = asyncio.get_running_loop()
        job = _Job(texts, item, work, deadline, loop.create_future(), tokens)
        with self._lock:
            if self._closed or self._waiting + len(texts) > self._max_queue:
                raise Busy("Too many messages are waiting for the encoder.", hint="Try again in a moment.")
            self._queue.append(job)
            self._waiting += len(texts)
            if self._idle:
                self._idle = False
                # Not at once: what else comes in this turn of the loop shares the batch.
                loop.call_soon(self._encoding.submit, self._serve, loop)
        result: T = await job.done
        return result

    async def encode(self, texts: Sequence[str], *, deadline: float) -> Vectors:
        return await self.run(texts, None, _as_they_are, deadline=deadline)

    async def close(self) -> None:
        """Finish what is queued, then end the threads and let the encoder go."""
        with self._lock:
            self._closed = True
        await asyncio.sleep(0)  # a start that is scheduled comes first
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        self._encoding.shutdown()  # which hands over to the other until its end
        self._following.shutdown()
        # Here, not where the last reference happens to be dropped: to free a model takes longer than a loop may wait.
        self._encoder = None

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        """In a thread, batch after batch until nobody waits: a busy loop's next turn is not waited for in between."""
        while jobs := self._take():
            batch = self._encoded(jobs)
            if self._followed is not None:
                wait([self._followed])  # no more than one batch waits to be followed up
            self._followed = self._following.submit(self._follow, loop, batch)

    def _follow(self, loop: asyncio.AbstractEventLoop, batch: _Batch) -> None:
        """In the other thread."""
        results = (*_follow_up(batch.ready, batch.encoded), *map(_too_late, batch.late))
        seconds = self._clock.monotonic() - batch.began
        loop.call_soon_threadsafe(self._settle, (*batch.ready, *batch.late), results, seconds)

    def _take(self) -> list[_Job[Any]]:
        """The next batch: whole jobs in order, abandoned ones dropped on the way. Empty: the next job starts anew."""
        batch: list[_Job[Any]] = []
        size = 0
        with self._lock:
            while self._queue and (not batch or size + len(self._queue[0].texts) <= MAX_BATCH):
                job = self._queue.popleft()
                self._waiting -= len(job.texts)
                if not job.done.done():
                    batch.append(job)
                    size += len(job.texts)
            self._idle = not batch
        return batch

    def _encoded(self, jobs: Sequence[_Job[Any]]) -> _Batch:
        """One forward for all that are in time."""
        began = self._clock.monotonic()
        ready, late = [job for job in jobs if job.deadline >= began], _late(jobs, began)
        texts = [text for job in ready for text in job.texts]
        encoded: Encoded | Exception
        try:
            encoded = self._encode(texts, any(job.tokens for job in ready))
        except RetrievalError as error:
            encoded = InferenceError(str(error))
        except Exception as error:  # whoever waits is told, and the thread goes on
            encoded = error
        return _Batch(ready, late, began, encoded)

    def _encode(self, texts: Sequence[str], tokens: bool) -> Encoded:
        assert self._encoder is not None
        if not texts:
            return Encoded(np.zeros((0, self._encoder.dim), dtype=np.float32))
        if not tokens:
            return Encoded(self._encoder.encode(texts))
        return Encoded(*cast(TokenEncoder, self._encoder).encode_tokens(texts))

    def _settle(self, jobs: Sequence[_Job[Any]], results: Sequence[Any], seconds: float) -> None:
        """On the loop."""
        texts = sum(
            len(job.texts) for job, result in zip(jobs, results, strict=True) if not isinstance(result, Busy)
        )
        if texts:
            self._observer.encoded(texts, seconds=seconds)
        for job, result in zip(jobs, results, strict=True):
            _settle(job, result)


def _late(batch: Sequence[_Job[Any]], now: float) -> list[_Job[Any]]:
    return [job for job in batch if job.deadline < now]


def _too_late(_: _Job[Any]) -> Busy:
    return Busy("The message waited too long for the encoder.")


def _as_they_are(_: Sequence[None], encoded: Sequence[Encoded]) -> Sequence[Vectors]:
    return [one.vectors for one in encoded]


def _follow_up(batch: Sequence[_Job[Any]], encoded: Encoded | Exception) -> list[Any]:
    """The results of all jobs, in their order."""
    if isinstance(encoded, Exception) or not batch:
        return [encoded] * len(batch)
    ends = np.cumsum([len(job.texts) for job in batch])
    parts = [
        Encoded(vectors, encoded.tokens[end - len(vectors) : end])
        for vectors, end in zip(np.split(encoded.vectors, ends[:-1]), ends, strict=True)
    ]
    groups: defaultdict[Work[Any, Any], list[int]] = defaultdict(list)
    for place, job in enumerate(batch):
        groups[job.work].append(place)
    results: list[Any] = [None] * len(batch)
    for work, places in groups.items():
        found = _attempt(work, [batch[p].item for p in places], [parts[p] for p in places])
        for place, result in zip(places, found, strict=True):
            results[place] = result
    return results


def _attempt(work: Work[Any, Any], items: Sequence[Any], encoded: Sequence[Encoded]) -> Sequence[Any]:
    """Results, or exceptions in their places: only the guilty one fails."""
    try:
        return work(items, encoded)
    except Exception as error:
        if len(items) == 1:
            return [error]
        alone = zip(items, encoded, strict=True)
        return [_attempt(work, [item], [one])[0] for item, one in alone]


def _settle(job: _Job[Any], result: Any) -> None:
    if job.done.done():
        return
    if isinstance(result, Exception):
        job.done.set_exception(result)
    else:
        job.done.set_result(result)
