"""The event bus port, and the one for a single process. The database is the truth; the bus only wakes and shows."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from connectors.port import Frame

MAX_BEHIND = 256
"""Frames that a subscriber may fall behind before it is ended (it then reads the history)."""


class Bus(Protocol):
    def publish(self, frame: Frame) -> None:
        """To everyone who subscribes to the frame's conversation right now. Never waits, never fails."""
        ...

    def subscribe(self, conversation: str) -> AbstractAsyncContextManager[AsyncIterator[Frame]]: ...


class LocalBus:
    """In process: one bounded queue for each subscriber."""

    def __init__(self, *, max_behind: int = MAX_BEHIND) -> None:
        self._max_behind = max_behind
        self._queues: defaultdict[str, set[asyncio.Queue[Frame | None]]] = defaultdict(set)

    def publish(self, frame: Frame) -> None:
        for queue in tuple(self._queues.get(frame.conversation, ())):
            if queue.qsize() < self._max_behind:
                queue.put_nowait(frame)
            elif queue.qsize() == self._max_behind:
                queue.put_nowait(None)

    @asynccontextmanager
    async def subscribe(self, conversation: str) -> AsyncIterator[AsyncIterator[Frame]]:
        queue: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._queues[conversation].add(queue)
        try:
            yield _drain(queue)
        finally:
            self._queues[conversation].discard(queue)
            if not self._queues[conversation]:
                del self._queues[conversation]


async def _drain(queue: asyncio.Queue[Frame | None]) -> AsyncIterator[Frame]:
    """Ends where the subscriber fell too far behind."""
    while (frame := await queue.get()) is not None:
        yield frame
