"""A web chat on a real server, and a page that speaks its wire."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from aiohttp import ClientResponse, ClientWebSocketResponse, TCPConnector, WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer

from connectors.port import Frame
from connectors.testing import MemoryGateway
from connectors.webchat import Tokens, WebChat, WebChatOptions

PATIENCE = 10.0
MARK = 10**9
"""No message has this number."""
BASE = "/channels/web"
PATH = f"{BASE}/ws"
KEY = "a-key-for-tests-of-more-than-32-characters"
OPTIONS = WebChatOptions(allow_missing_origin=True, per_minute=0, peer_per_minute=0)
"""Without limits, which have tests of their own."""
sockets = ContextVar("sockets", default=True)
"""Whether pages speak over WebSockets, or post their frames and listen to events."""


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
        await self.raw(json.dumps({"type": kind, **more}, ensure_ascii=False))

    async def raw(self, data: str | bytes) -> None:
        await (self.socket.send_bytes(data) if isinstance(data, bytes) else self.socket.send_str(data))

    async def leave(self) -> None:
        await self.socket.close()

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


class EventPage(Page):
    """Speaks the same wire without a WebSocket. Answers to what it posts are seen when they come."""

    def __init__(
        self, client: TestClient[Any, Any], gateway: MemoryGateway, *, headers: dict[str, str]
    ) -> None:
        self.seen = []
        self.welcome = {}
        self.ids: list[str] = []
        """What a browser would resume from, as it changed."""
        self._client, self._gateway, self._headers = client, gateway, headers
        self._answers: deque[dict[str, Any]] = deque()
        self._events: ClientResponse | None = None
        self._query: dict[str, str] = {}

    async def send(self, kind: str, **more: Any) -> None:
        if kind == "hello":
            await self._listen(**more)
        else:
            await super().send(kind, **more)

    async def raw(self, data: str | bytes) -> None:
        headers = {**self._headers, **self._auth(self.welcome.get("token"))}
        at = f"{BASE}/messages"
        async with self._client.post(at, data=data, headers=headers, params=self._query) as response:
            if body := await response.read():
                self._answers.append(json.loads(body))

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            frame = self._answers.popleft() if self._answers else await self._event()
        assert frame is not None, "the stream has ended"
        self.seen.append(frame)
        return frame

    async def settled(self) -> list[dict[str, Any]]:
        """All that came before something that happens now."""
        before = len(self.seen)
        self._gateway.publish(Frame("feedback", self.conversation, seq=MARK))
        await self.until("feedback", of=MARK)
        return self.seen[before:-1]

    async def closed(self) -> int | None:
        async with asyncio.timeout(PATIENCE):
            while (frame := await self._event()) is not None:
                self.seen.append(frame)
        last = self.seen.pop() if self.seen else {}
        return last.get("code") if last.get("type") == "close" else None

    async def leave(self) -> None:
        assert self._events is not None
        self._events.close()

    def vanish(self) -> None:
        assert self._events is not None
        connection = self._events.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()

    async def _listen(
        self, *, v: int = 1, token: str | None = None, last_seq: int = 0, locale: str | None = None
    ) -> None:
        assert v == 1
        self._query = {"locale": locale} if locale else {}
        headers = {**self._headers, **self._auth(token), "Last-Event-ID": str(last_seq)}
        self._events = await self._client.get(f"{BASE}/events", params=self._query, headers=headers)
        assert self._events.status == 200, await self._events.text()
        assert self._events.content_type == "text/event-stream"

    def _auth(self, token: str | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"} if token else {}

    async def _event(self) -> dict[str, Any] | None:
        """The next one with data; None at the end."""
        assert self._events is not None
        data: list[str] = []
        async for line in self._events.content:
            name, _, value = line.decode().rstrip("\r\n").partition(": ")
            if name == "id":
                self.ids.append(value)
            elif name == "data":
                data.append(value)
            elif not name and data:
                frame: dict[str, Any] = json.loads("\n".join(data))
                return frame
        return None


class Site:
    def __init__(self, gateway: MemoryGateway, channel: WebChat, client: TestClient[Any, Any]) -> None:
        self.gateway = gateway
        self.channel = channel
        self.client = client

    async def socket(self, **headers: str) -> Page:
        """Connected, nothing said. Without WebSockets: a page that opens its events by saying hello."""
        if not sockets.get():
            return EventPage(self.client, self.gateway, headers=headers)
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
    if not sockets.get():
        options = {"heartbeat": 0.1, **options}  # a client that has gone is noticed by it
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
