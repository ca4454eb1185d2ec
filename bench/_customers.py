"""Customers for the recovery bench, who keep to the wire protocol whatever happens to the server: they connect
again, resume with what they have, and send again what has no receipt."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp

AT_ONCE = 3
"""Messages that a customer writes before the first of them is answered."""
SILENCE_S = 60
"""A connection on which nothing comes for so long is given up."""


@dataclass(slots=True)
class Customer:
    """`sent`: refs in the order written; `receipts`: ref -> seq; `shown`: finals, by rising seq."""

    name: int
    texts: Sequence[str]
    token: str | None = None
    conversation: str = ""
    sent: list[str] = field(default_factory=list)
    receipts: dict[str, int] = field(default_factory=dict)
    shown: list[dict[str, Any]] = field(default_factory=list)
    contradictions: int = 0
    """A second receipt that says something else, or a server that knows less than it has shown."""
    writing: bool = True

    @property
    def last_seq(self) -> int:
        return int(self.shown[-1]["seq"]) if self.shown else 0

    @property
    def owed(self) -> int:
        """Messages written and not answered, as far as this page knows."""
        return len(self.sent) - sum(1 for final in self.shown if final["role"] == "bot")

    async def run(self, http: aiohttp.ClientSession, url: str) -> None:
        """Until it has stopped writing and everything is answered."""
        origin = url.rsplit("/channels", 1)[0].replace("ws", "http", 1)
        while self.writing or self.owed:
            with suppress(aiohttp.ClientError, OSError, TimeoutError, _Lost):
                async with http.ws_connect(url, protocols=("kefu.v1",), origin=origin) as socket:
                    await self._stay(socket)
            await asyncio.sleep(random.uniform(0.05, 0.5))

    async def _stay(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_json({"type": "hello", "v": 1, "token": self.token, "last_seq": self.last_seq})
        welcome = await _next(socket)
        while welcome["type"] != "welcome":
            welcome = await _next(socket)
        self.token, self.conversation = welcome["token"], welcome["conversation"]
        if welcome["seq"] < self.last_seq:
            self.contradictions += 1
        for ref in self.sent:
            if ref not in self.receipts:
                await self._send(socket, ref)
        writer = asyncio.create_task(self._write(socket))
        try:
            while self.writing or self.owed:
                self._take(await _next(socket))
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def _write(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while self.writing:
            if self.owed < AT_ONCE:
                ref = f"{self.name}-{len(self.sent) + 1}"
                self.sent.append(ref)
                await self._send(socket, ref)
            await asyncio.sleep(random.uniform(0.02, 0.4))

    async def _send(self, socket: aiohttp.ClientWebSocketResponse, ref: str) -> None:
        text = self.texts[(31 * self.name + self.sent.index(ref)) % len(self.texts)]
        await socket.send_json({"type": "message", "id": ref, "text": text})

    def _take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "accepted":
            if self.receipts.setdefault(frame["id"], frame["seq"]) != frame["seq"]:
                self.contradictions += 1
        elif frame["type"] == "error":
            raise _Lost  # as a page does: it connects again and sends again
        elif frame["type"] == "final" and frame["seq"] > self.last_seq:
            if frame["seq"] != self.last_seq + 1:
                raise _Lost
            self.shown.append(frame)


class _Lost(Exception):
    """The connection is over, or of no use any more."""


async def _next(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    message = await socket.receive(SILENCE_S)
    if message.type is not aiohttp.WSMsgType.TEXT:
        raise _Lost
    frame: dict[str, Any] = message.json()
    return frame
