"""A lane per conversation: its messages are answered one after the other, other conversations' beside them."""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_left
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from bot.errors import StoreError

log = logging.getLogger(__name__)

Turn = Callable[[str, int], Awaitable[None]]
"""turn(conversation, seq)"""

WIDTH = 512
"""Conversations with a turn under way at once: after a crash thousands may be owed an answer, and the encoder
refuses more texts than it has room for (`bot.inference.door.MAX_QUEUE`; a turn has one or two)."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
"""Before a turn is tried again that the database kept from its end; doubled each time."""


@dataclass(slots=True)
class _Lane:
    """`now`: the message whose turn runs; `waiting`: those behind it, by their number."""

    waiting: list[int]
    now: int = 0


class Lanes:
    """Owns every turn's task. A message is in its lane at most once, however often it is put there."""

    def __init__(self, turn: Turn, *, width: int = WIDTH, first_pause: float = FIRST_PAUSE_S) -> None:
        self._turn = turn
        self._width = width
        self._first_pause = first_pause
        self._lanes: dict[str, _Lane] = {}
        self._not_begun: deque[str] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()

    def put(self, conversation: str, seq: int) -> None:
        """Queue the message among those of its conversation. After `close`: left to the next start's sweep."""
        if self._closing.is_set():
            return
        lane = self._lanes.get(conversation)
        if lane is None:
            self._lanes[conversation] = _Lane([seq])
            self._not_begun.append(conversation)
            self._begin()
        elif seq != lane.now:
            place = bisect_left(lane.waiting, seq)
            if lane.waiting[place : place + 1] != [seq]:
                lane.waiting.insert(place, seq)

    @property
    def busy(self) -> int:
        """Conversations with a message under way or waiting."""
        return len(self._lanes)

    async def idle(self) -> None:
        """Returns when every lane is empty."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self, *, patience: float) -> None:
        """Let turns under way end within `patience` seconds; what is not answered is taken up at the next start."""
        self._closing.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=patience)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._lanes.clear()

    def _begin(self) -> None:
        """A lane has a task only while there is room for its turns: a backlog is numbers, not tasks."""
        while self._not_begun and len(self._tasks) < self._width and not self._closing.is_set():
            task = asyncio.create_task(self._run(self._not_begun.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._begin()

    async def _run(self, conversation: str) -> None:
        lane = self._lanes[conversation]
        try:
            while lane.waiting and not self._closing.is_set():
                lane.now = lane.waiting.pop(0)
                await self._to_its_end(conversation, lane.now)
        finally:
            del self._lanes[conversation]

    async def _to_its_end(self, conversation: str, seq: int) -> None:
        """While the database is in trouble the lane waits: to go on would only answer out of order."""
        pause = self._first_pause
        while not self._closing.is_set() and not await self._done(conversation, seq):
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._closing.wait()
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def _done(self, conversation: str, seq: int) -> bool:
        """False where the turn should be tried again."""
        where = {"conversation": conversation, "seq": seq}
        try:
            await self._turn(conversation, seq)
        except StoreError as error:
            log.warning("turn failed: %s", error.message, extra=where)
            return not error.passes
        except Exception:
            log.exception("turn failed", extra=where)
        return True
