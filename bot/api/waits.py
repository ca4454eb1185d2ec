"""Requests that wait for something to happen in a conversation: few enough, and ended when the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from connectors.errors import Overloaded
from connectors.port import Frame, Gateway

T = TypeVar("T")

MAX_WAITS = 256
"""Requests that may wait at once."""
MAX_WAIT_S = 30
_NEWS = ("final", "status")


class Waits:
    def __init__(self, gateway: Gateway, *, most: int = MAX_WAITS) -> None:
        self._gateway = gateway
        self._most = most
        self._open: set[asyncio.Timeout] = set()
        self._closed = False

    async def until(
        self,
        conversation: str,
        look: Callable[[], Awaitable[T]],
        *,
        enough: Callable[[T], bool],
        seconds: float,
    ) -> T:
        """What `look` finds as soon as it is enough, or what it finds when time is over or the server stops.

        Raises Overloaded where too many wait already.
        """
        found = await look()
        if enough(found) or not seconds or self._closed:
            return found
        if len(self._open) >= self._most:
            raise Overloaded("overloaded", "Too many requests wait: ask without waiting.", retry_after=1.0)
        try:
            async with asyncio.timeout(seconds) as timeout:
                self._open.add(timeout)
                try:
                    await self._watch(conversation, look, enough)
                finally:
                    self._open.discard(timeout)
        except TimeoutError:
            pass
        return await look()

    def close(self) -> None:
        """Everybody who waits is answered now, with what there is."""
        self._closed = True
        for timeout in self._open:
            if not timeout.expired():
                timeout.reschedule(0)

    async def _watch(
        self, conversation: str, look: Callable[[], Awaitable[T]], enough: Callable[[T], bool]
    ) -> None:
        while True:
            async with self._gateway.subscribe(conversation) as frames:
                # Looked again once subscribed: what came in between had nobody to tell.
                while not enough(await look()):
                    if not await _news(frames):
                        break
                else:
                    return


async def _news(frames: AsyncIterator[Frame]) -> bool:
    """False where the subscription ended: this reader fell behind."""
    async for frame in frames:
        if frame.kind in _NEWS:
            return True
    return False
