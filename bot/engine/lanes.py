"""A lane per conversation: its messages are answered one after the other, other conversations' beside them."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

Turn = Callable[[str, int], Awaitable[None]]
"""turn(conversation, seq)"""


class Lanes:
    """Owns every turn's task. A message is in its lane at most once, however often it is put there."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._lanes: dict[str, deque[int]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def put(self, conversation: str, seq: int) -> None:
        """Queue the message behind those of its conversation. After `close`: left to the next start's sweep."""
        lane = self._lanes.get(conversation)
        if self._closed or (lane is not None and seq in lane):
            return
        if lane is not None:
            lane.append(seq)
            return
        self._lanes[conversation] = deque([seq])
        task = asyncio.create_task(self._run(conversation))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def busy(self) -> int:
        """Conversations with a message under way."""
        return len(self._lanes)

    async def idle(self) -> None:
        """Returns when every lane is empty."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self, *, patience: float) -> None:
        """Let turns under way end within `patience` seconds; what is not answered is taken up at the next start."""
        self._closed = True
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=patience)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, conversation: str) -> None:
        """The head of the lane stays in it while its turn runs, so that it cannot be put in twice."""
        lane = self._lanes[conversation]
        try:
            while lane and not self._closed:
                await self._one(conversation, lane[0])
                lane.popleft()
        finally:
            del self._lanes[conversation]

    async def _one(self, conversation: str, seq: int) -> None:
        try:
            await self._turn(conversation, seq)
        except Exception:
            log.exception("turn failed", extra={"conversation": conversation, "seq": seq})
