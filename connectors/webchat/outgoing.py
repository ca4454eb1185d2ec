"""What waits to be written to one client: bounded, in order, and patient for a while with a slow reader."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from connectors.webchat.goodbye import TRY_AGAIN, Goodbye

Write: TypeAlias = Callable[[bytes, int], Awaitable[None]]
"""write(frame, seq): `seq` is the number of the committed message that the frame carries, else 0."""
AtOnce: TypeAlias = Callable[[bytes], bool]
"""at_once(frame): whether a write of it would be done without any waiting."""


def _never(_: bytes) -> bool:
    return False


class Outgoing:
    """`run` writes until `finish`. It must not be cancelled while the client is still to be written to:
    aiohttp's next write would be cancelled with it, the close frame for one.

    What need not wait for anything is written by whoever sends it: two turns of the loop less for a frame.
    """

    def __init__(self, write: Write, *, room: int, patience: float, at_once: AtOnce = _never) -> None:
        self._write = write
        self._patience = patience
        self._at_once = at_once
        self._waiting: asyncio.Queue[tuple[bytes, int] | None] = asyncio.Queue(room)
        self._resting = False
        self._gone = False

    async def run(self) -> None:
        while (waiting := await self._next()) is not None:
            await self._put(*waiting)

    async def send(self, data: bytes, seq: int = 0) -> None:
        """Raises `Goodbye` when there has been no room for too long."""
        if self._resting and self._waiting.empty() and self._at_once(data):
            await self._put(data, seq)
            return
        try:
            self._waiting.put_nowait((data, seq))
        except asyncio.QueueFull:
            await self._send_patiently(data, seq)

    async def _next(self) -> tuple[bytes, int] | None:
        self._resting = True
        try:
            return await self._waiting.get()
        finally:
            self._resting = False

    async def _put(self, data: bytes, seq: int) -> None:
        if self._gone:
            return  # whoever sends is not to wait for nobody; the reader notices as well
        try:
            await self._write(data, seq)
        except ConnectionError:
            self._gone = True

    async def finish(self, last: bytes | None) -> None:
        """`last`, and nothing after it."""
        if last is not None:
            await self._waiting.put((last, 0))
        await self._waiting.put(None)

    async def _send_patiently(self, data: bytes, seq: int) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._waiting.put((data, seq))
        except TimeoutError:
            raise Goodbye(TRY_AGAIN, "too slow: connect again with last_seq") from None
