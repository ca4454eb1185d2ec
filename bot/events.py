"""The event bus port, and the one for a single process. The database is the truth; the bus only wakes and shows."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Protocol

from connectors.port import Frame

MAX_BEHIND = 256
"""Frames that a subscriber may fall behind before it is ended (it then reads the history)."""


class Bus(Protocol):
    def publish(self, frame: Frame) -> None:
        """To everyone who subscribes to the frame's conversation right now. Never waits, never fails."""
        ...

    def subscribe(self, conversation: str) -> AbstractAsyncContextManager[AsyncIterator[Frame]]: ...

    def subscribed(self) -> Sequence[str]:
        """Conversations that somebody in this process subscribes to."""
        ...


class LocalBus:
    """In process: one bounded mailbox for each subscriber."""

    def __init__(self, *, max_behind: int = MAX_BEHIND) -> None:
        self._max_behind = max_behind
        self._boxes: defaultdict[str, set[_Mailbox]] = defaultdict(set)

    def publish(self, frame: Frame) -> None:
        for box in tuple(self._boxes.get(frame.conversation, ())):
            box.put(frame)

    def subscribed(self) -> Sequence[str]:
        return tuple(self._boxes)

    @asynccontextmanager
    async def subscribe(self, conversation: str) -> AsyncIterator[AsyncIterator[Frame]]:
        box = _Mailbox(self._max_behind)
        self._boxes[conversation].add(box)
        try:
            yield box.frames()
        finally:
            self._boxes[conversation].discard(box)
            if not self._boxes[conversation]:
                del self._boxes[conversation]


class _Mailbox:
    """One subscriber's frames, in order. Pieces of one answer that wait behind one another become one."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._frames: deque[Frame] = deque()
        self._full = False
        self._came = asyncio.Event()

    def put(self, frame: Frame) -> None:
        """Of a subscriber that falls too far behind nothing more is kept: it reads the history."""
        if self._full:
            return
        last = self._frames[-1] if self._frames else None
        if last is not None and _continues(last, frame):
            self._frames[-1] = replace(frame, text=last.text + frame.text)
        elif len(self._frames) < self._room:
            self._frames.append(frame)
        else:
            self._full = True
        self._came.set()

    async def frames(self) -> AsyncIterator[Frame]:
        """Ends where the subscriber fell too far behind."""
        while True:
            while self._frames:
                yield self._frames.popleft()
            if self._full:
                return
            self._came.clear()
            await self._came.wait()


def _continues(last: Frame, frame: Frame) -> bool:
    both = last.kind == frame.kind == "delta"
    return both and (last.turn, last.attempt) == (frame.turn, frame.attempt)
