"""One stream of server-sent events: what a WebSocket's feed shows, for clients that get no WebSocket through."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from aiohttp import web
from aiohttp_sse import EventSourceResponse

from connectors.webchat import render
from connectors.webchat.goodbye import Goodbye
from connectors.webchat.house import House
from connectors.webchat.line import Line
from connectors.webchat.tokens import Session

RETRY_MS = 2_000
"""What a browser is told to wait before it opens the stream again by itself."""
_GONE = 1000


class Stream(Line):
    """`open` first; `run` then returns when the stream has ended. Nothing is read here."""

    def __init__(
        self, house: House, session: Session, *, last_seq: int, transport: asyncio.Transport
    ) -> None:
        super().__init__(house, transport=transport)
        self._session = session
        self._last_seq = last_seq
        # The queue is what is patient with a slow reader; the response waits as long as it lets it.
        self.response = EventSourceResponse(send_timeout=None, ping_interval=house.options.heartbeat)

    async def open(self, request: web.Request) -> None:
        await self.response.prepare(request)

    async def _converse(self) -> NoReturn:
        await self._follow(self._session, last_seq=self._last_seq)
        await self.response.wait()
        raise Goodbye

    async def _write(self, data: bytes, seq: int) -> None:
        # A number is given to committed messages alone: it is what a client resumes from.
        await self.response.send(data.decode(), id=str(seq) if seq else None, retry=RETRY_MS)

    async def _close(self, goodbye: Goodbye) -> None:
        if goodbye.code != _GONE:
            await self.response.send(render.close(goodbye).decode())
        self.response.stop_streaming()
        await self.response.write_eof()
