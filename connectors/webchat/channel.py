"""The channel: a route, the handshake, and all the sockets that are open."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from aiohttp import hdrs, web

from connectors.errors import ConnectorError, Overloaded, Refused
from connectors.port import Gateway
from connectors.webchat import render
from connectors.webchat.frames import MAX_FRAME
from connectors.webchat.goodbye import GOING_AWAY, TRY_AGAIN, Goodbye
from connectors.webchat.house import House
from connectors.webchat.limits import Limits
from connectors.webchat.options import WebChatOptions
from connectors.webchat.origins import Origins, Peers
from connectors.webchat.session import Connection, Socket
from connectors.webchat.tokens import Tokens

SUBPROTOCOL = "kefu.v1"
_INSTANCE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FULL_FOR = 5.0
"""Seconds after which a client that found no room may try again."""


class WebChat:
    """Implements `connectors.port.Channel`. Raises ValueError for a bad instance name or option."""

    def __init__(self, instance: str, gateway: Gateway, *, tokens: Tokens, options: WebChatOptions) -> None:
        if not _INSTANCE.fullmatch(instance):
            raise ValueError(f"{instance!r}: an instance has 1 to 64 characters of A-Z, a-z, 0-9, _ and -.")
        self._house = House(instance, gateway, tokens, Limits(options), options)
        self._origins = Origins(options.origins, allow_missing=options.allow_missing_origin)
        self._peers = Peers(options.trusted_proxies)
        self._open: dict[Connection, asyncio.Future[None]] = {}
        self._closing = False

    @property
    def instance(self) -> str:
        return self._house.instance

    @property
    def open_sockets(self) -> int:
        return len(self._open)

    def routes(self) -> Sequence[web.RouteDef]:
        return [web.get(f"/channels/{self.instance}/ws", self._handle)]

    async def close(self) -> None:
        """Every socket is told 1001 and its handler has ended. New ones are turned away from here on."""
        self._closing = True
        ended = list(self._open.values())
        for connection in list(self._open):
            connection.leave(Goodbye(GOING_AWAY, "the server is stopping: connect again"))
        if ended:
            await asyncio.wait(ended)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if not self._origins.admits(request.headers.get(hdrs.ORIGIN), host=request.host):
            return _refusal(403, Refused("origin_refused", "This page may not open this chat."))
        options = self._house.options
        socket: Socket = web.WebSocketResponse(
            protocols=(SUBPROTOCOL,),
            heartbeat=options.heartbeat,
            timeout=options.close_within,
            max_msg_size=MAX_FRAME + 1,  # aiohttp refuses what has just this size
            compress=False,
            decode_text=False,
        )
        try:
            await socket.prepare(request)
        except web.HTTPBadRequest:
            return _refusal(400, Refused("bad_handshake", "Open a WebSocket here."))
        await self._serve(socket, request)
        return socket

    async def _serve(self, socket: Socket, request: web.Request) -> None:
        if request.transport is None:
            return None  # gone during the handshake
        forwarded = request.headers.getall(hdrs.X_FORWARDED_FOR, [])
        peer = self._peers.of(request.remote, forwarded=forwarded)
        connection = Connection(socket, self._house, peer=peer, transport=request.transport)
        if turned_away := self._turned_away():
            return await connection.run(turned_away=turned_away)
        ended = self._open[connection] = asyncio.get_running_loop().create_future()
        try:
            await connection.run()
        finally:
            del self._open[connection]
            ended.set_result(None)
        return None

    def _turned_away(self) -> Goodbye | None:
        if self._closing:
            return Goodbye(GOING_AWAY, "the server is stopping: connect again")
        if len(self._open) < self._house.options.max_sockets:
            return None
        problem = Overloaded("overloaded", "Too many people are here: try again.", retry_after=_FULL_FOR)
        return Goodbye(TRY_AGAIN, "no room: try again later", last=render.error(problem))


def _refusal(status: int, problem: ConnectorError) -> web.Response:
    return web.json_response({"error": render.error_body(problem)}, status=status)
