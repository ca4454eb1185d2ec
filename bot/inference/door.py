"""The one way off the event loop to the encoder: concurrent texts share a batch, and nobody waits when it is idle.

Where others wait, what follows on a batch's vectors runs in a second thread while the next batch is encoded, so that
no core rests meanwhile.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from bot.clock import Clock, SystemClock
from bot.errors import Busy, InferenceError
from bot.observer import UNOBSERVED, Observer
from retrieval.embed import Encoder, Vectors
from retrieval.errors import RetrievalError

T = TypeVar("T")

MAX_QUEUE = 1_024
"""Texts that may wait; more are refused at once instead of late."""
MAX_BATCH = 64
"""Texts taken in one go."""


@dataclass(slots=True)
class _Job(Generic[T]):
    texts: Sequence[str]
    then: Callable[[Vectors], T]
    deadline: float
    done: asyncio.Future[T]


class Door:
    """Runs `encode`, and what follows directly on it, in threads of its own: one forward at a time.

    What is queued while the thread is busy becomes the next batch; a lone text goes at once. A text whose deadline
    (of `clock.monotonic`) has passed before its batch begins is dropped with `Busy`, as is one beyond the queue's end.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        clock: Clock | None = None,
        max_queue: int = MAX_QUEUE,
        observer: Observer = UNOBSERVED,
    ) -> None:
        self._encoder = encoder
        self._observer = observer
        self._clock = clock or SystemClock()
        self._max_queue = max_queue
        self._queue: deque[_Job[Any]] = deque()
        self._waiting = 0
        self._busy: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kefu-encoder")
        self._second = ThreadPoolExecutor(1, thread_name_prefix="kefu-reader")
        self._closed = False

    @property
    def waiting(self) -> int:
        """Texts in the queue."""
        return self._waiting

    async def run(self, texts: Sequence[str], then: Callable[[Vectors], T], *, deadline: float) -> T:
        """Encode, then call `then(float32 [len(texts), dim])` off the loop. Raises Busy, InferenceError."""
        if self._closed or self._waiting + len(texts) > self._max_queue:
            raise Busy("Too many messages are waiting for the encoder.", hint="Try again in a moment.")
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        job = _Job(texts, then, deadline, done)
        self._queue.append(job)
        self._waiting += len(texts)
        if self._busy is None:
            self._busy = asyncio.create_task(self._drain())
        return await done

    async def encode(self, texts: Sequence[str], *, deadline: float) -> Vectors:
        return await self.run(texts, lambda vectors: vectors, deadline=deadline)

    async def close(self) -> None:
        """Finish what is queued, then end the threads."""
        self._closed = True
        for task in (self._busy, self._following):
            if task is not None:
                await task
        self._thread.shutdown(wait=False)
        self._second.shutdown(wait=False)

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while batch := self._take():
                began = self._clock.monotonic()
                outcome = await loop.run_in_executor(self._thread, self._work, batch)
                texts = sum(len(job.texts) for job in batch)
                self._observer.encoded(texts, seconds=self._clock.monotonic() - began)
                if isinstance(outcome, list):
                    _settle_all(batch, outcome)
                    continue
                if self._following is not None:  # at most one batch behind, or they would pile up
                    await self._following
                self._following = asyncio.create_task(self._follow(batch, outcome))
        finally:
            self._busy = None

    async def _follow(self, batch: list[_Job[Any]], vectors: Vectors) -> None:
        loop = asyncio.get_running_loop()
        _settle_all(batch, await loop.run_in_executor(self._second, _follow_up, batch, vectors))

    def _take(self) -> list[_Job[Any]]:
        """The next batch: whole jobs in order, late and abandoned ones dropped on the way."""
        batch: list[_Job[Any]] = []
        size, now = 0, self._clock.monotonic()
        while self._queue and (not batch or size + len(self._queue[0].texts) <= MAX_BATCH):
            job = self._queue.popleft()
            self._waiting -= len(job.texts)
            if job.done.done():
                continue
            if job.deadline < now:
                _settle(job, Busy("The message waited too long for the encoder."))
                continue
            batch.append(job)
            size += len(job.texts)
        return batch

    def _work(self, batch: list[_Job[Any]]) -> list[Any] | Vectors:
        """In the first thread: one forward for all. The results, or the vectors alone where the next batch waits."""
        try:
            vectors = self._encoder.encode([text for job in batch for text in job.texts])
        except RetrievalError as error:
            return [InferenceError(str(error)) for _ in batch]
        # Nobody waits: one thread less to wake for a customer who is alone.
        return vectors if self._queue else _follow_up(batch, vectors)


def _follow_up(batch: Sequence[_Job[Any]], vectors: Vectors) -> list[Any]:
    """Each job's own follow-up on its vectors."""
    results, start = [], 0
    for job in batch:
        results.append(_attempt(job, vectors[start : start + len(job.texts)]))
        start += len(job.texts)
    return results


def _attempt(job: _Job[Any], vectors: Vectors) -> Any:
    try:
        return job.then(vectors)
    except Exception as error:
        return error


def _settle_all(batch: Sequence[_Job[Any]], results: Sequence[Any]) -> None:
    for job, result in zip(batch, results, strict=True):
        _settle(job, result)


def _settle(job: _Job[Any], result: Any) -> None:
    if job.done.done():
        return
    if isinstance(result, Exception):
        job.done.set_exception(result)
    else:
        job.done.set_result(result)
