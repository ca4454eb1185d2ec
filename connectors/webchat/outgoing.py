"""What waits to be written to one socket: bounded, in order, and patient for a while with a slow reader."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import WSMsgType, web

from connectors.webchat.goodbye import TRY_AGAIN, Goodbye


class Outgoing:
    """`run` writes until `finish`. It must not be cancelled while the socket is still to be used: aiohttp's
    next write would be cancelled with it, the close frame for one."""

    def __init__(self, socket: web.WebSocketResponse[Any], *, room: int, patience: float) -> None:
        self._socket = socket
        self._patience = patience
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue(room)

    async def run(self) -> None:
        gone = False
        while (data := await self._waiting.get()) is not None:
            if gone:
                continue  # whoever sends is not to wait for nobody; the reader notices as well
            try:
                await self._socket.send_frame(data, WSMsgType.TEXT)
            except ConnectionError:
                gone = True

    async def send(self, data: bytes) -> None:
        """Raises `Goodbye` when there has been no room for too long."""
        try:
            self._waiting.put_nowait(data)
        except asyncio.QueueFull:
            await self._send_patiently(data)

    async def finish(self, last: bytes | None) -> None:
        """`last`, and nothing after it."""
        if last is not None:
            await self._waiting.put(last)
        await self._waiting.put(None)

    async def _send_patiently(self, data: bytes) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._waiting.put(data)
        except TimeoutError:
            raise Goodbye(TRY_AGAIN, "too slow: connect again with last_seq") from None
