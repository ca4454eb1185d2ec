"""A web chat on a real server, and a page that speaks its wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from aiohttp import ClientWebSocketResponse, TCPConnector, WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer

from connectors.testing import MemoryGateway
from connectors.webchat import Tokens, WebChat, WebChatOptions

PATIENCE = 10.0
PATH = "/channels/web/ws"
KEY = "a-key-for-tests-of-more-than-32-characters"
OPTIONS = WebChatOptions(allow_missing_origin=True, per_minute=0, peer_per_minute=0)
"""Without limits, which have tests of their own."""


class Page:
    """`seen` has every frame that came, in order."""

    def __init__(self, socket: ClientWebSocketResponse[Any]) -> None:
        self.socket = socket
        self.seen: list[dict[str, Any]] = []
        self.welcome: dict[str, Any] = {}

    async def hello(self, *, token: str | None = None, last_seq: int = 0, **more: object) -> dict[str, Any]:
        await self.send("hello", v=1, token=token, last_seq=last_seq, **more)
        self.welcome = await self.until("welcome")
        return self.welcome

    async def send(self, kind: str, **more: object) -> None:
        await self.socket.send_str(json.dumps({"type": kind, **more}, ensure_ascii=False))

    async def next(self) -> dict[str, Any]:
        message = await self.socket.receive(PATIENCE)
        assert message.type is WSMsgType.TEXT, message
        frame: dict[str, Any] = json.loads(message.data)
        self.seen.append(frame)
        return frame

    async def until(self, kind: str, **like: object) -> dict[str, Any]:
        while True:
            frame = await self.next()
            if frame["type"] == kind and like.items() <= frame.items():
                return frame

    async def settled(self) -> list[dict[str, Any]]:
        """All that came before the answer to a ping sent now."""
        before = len(self.seen)
        await self.send("ping")
        await self.until("pong")
        return self.seen[before:-1]

    async def error(self) -> dict[str, Any]:
        body: dict[str, Any] = (await self.until("error"))["error"]
        return body

    async def closed(self) -> int | None:
        """The close code, after everything that came before it."""
        while True:
            message = await self.socket.receive(PATIENCE)
            if message.type is not WSMsgType.TEXT:
                return self.socket.close_code
            self.seen.append(json.loads(message.data))

    def vanish(self) -> None:
        """The connection is reset, without a word."""
        connection = self.socket._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()

    @property
    def token(self) -> str:
        return str(self.welcome["token"])

    @property
    def conversation(self) -> str:
        return str(self.welcome["conversation"])

    @property
    def finals(self) -> list[int]:
        return [frame["seq"] for frame in self.seen if frame["type"] == "final"]

    def kinds(self) -> list[str]:
        return [frame["type"] for frame in self.seen]


class Site:
    def __init__(self, gateway: MemoryGateway, channel: WebChat, client: TestClient[Any, Any]) -> None:
        self.gateway = gateway
        self.channel = channel
        self.client = client

    async def socket(self, **headers: str) -> Page:
        """Connected, nothing said."""
        socket = await self.client.ws_connect(
            PATH, protocols=("kefu.v1",), headers=headers, max_msg_size=0, autoping=True
        )
        return Page(socket)

    async def page(self, *, token: str | None = None, last_seq: int = 0, **more: object) -> Page:
        """Welcomed."""
        page = await self.socket()
        await page.hello(token=token, last_seq=last_seq, **more)
        return page

    @property
    def connections(self) -> int:
        """As the HTTP server counts them."""
        runner = self.client.server.runner
        assert runner is not None
        assert runner.server is not None
        return len(runner.server.connections)

    async def at_most(self, sockets: int) -> None:
        """Until no more are open."""
        await eventually(lambda: self.channel.open_sockets <= sockets)


async def eventually(true: Callable[[], bool]) -> None:
    """For what nobody announces."""
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@asynccontextmanager
async def open_site(
    gateway: MemoryGateway | None = None, *, tokens: Tokens | None = None, **options: Any
) -> AsyncIterator[Site]:
    """A server on a free port. No task of it may be left when it has closed."""
    before = asyncio.all_tasks()
    gateway = gateway or MemoryGateway()
    channel = WebChat("web", gateway, tokens=tokens or Tokens([KEY]), options=replace(OPTIONS, **options))
    app = web.Application()
    app.add_routes(channel.routes())

    async def stop(_: web.Application) -> None:
        await channel.close()

    app.on_shutdown.append(stop)
    async with TestClient(TestServer(app), connector=TCPConnector(limit=0)) as client:
        yield Site(gateway, channel, client)
    assert channel.open_sockets == 0
    assert asyncio.all_tasks() <= before
