"""The channel: routes, the handshake, and all connections that are open."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from aiohttp import hdrs, web

from connectors.errors import Overloaded, Refused
from connectors.http import refusal
from connectors.limits import Limits
from connectors.origins import Origins, Peers
from connectors.port import Gateway
from connectors.webchat import render
from connectors.webchat.frames import MAX_FRAME
from connectors.webchat.goodbye import GOING_AWAY, TRY_AGAIN, Goodbye
from connectors.webchat.house import House
from connectors.webchat.http import Http
from connectors.webchat.line import Line
from connectors.webchat.options import WebChatOptions
from connectors.webchat.session import Connection, Socket
from connectors.webchat.tokens import Tokens

SUBPROTOCOL = "kefu.v1"
_INSTANCE = re.compile(r"[A-Za-z0-9_-]{1,64}")
STOPPING = "the server is stopping: connect again"
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
        self._http = Http(
            self._house, origins=self._origins, peers=self._peers, admit=self._admit, keep=self._keep
        )
        self._open: dict[Line, asyncio.Future[None]] = {}
        self._closing = False

    @property
    def instance(self) -> str:
        return self._house.instance

    @property
    def open_sockets(self) -> int:
        """Streams of events count as well."""
        return len(self._open)

    def routes(self) -> Sequence[web.RouteDef]:
        socket = web.get(f"/channels/{self.instance}/ws", self._handle, allow_head=False)
        return [socket, *self._http.routes()]

    async def close(self) -> None:
        """Every connection is told 1001 and its handler has ended. New ones are turned away from here on."""
        self._closing = True
        ended = list(self._open.values())
        for line in list(self._open):
            line.leave(Goodbye(GOING_AWAY, STOPPING))
        if ended:
            await asyncio.wait(ended)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if not self._origins.admits(request.headers.get(hdrs.ORIGIN), host=request.host):
            return refusal(Refused("origin_refused", "This page may not open this chat."))
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
            return refusal(Refused("bad_handshake", "Open a WebSocket here."))
        await self._serve(socket, request)
        return socket

    async def _serve(self, socket: Socket, request: web.Request) -> None:
        if request.transport is None:
            return None  # gone during the handshake
        forwarded = request.headers.getall(hdrs.X_FORWARDED_FOR, [])
        peer = self._peers.of(request.remote, forwarded=forwarded)
        connection = Connection(socket, self._house, peer=peer, transport=request.transport)
        try:
            self._admit()
        except Overloaded as problem:
            code = GOING_AWAY if self._closing else TRY_AGAIN
            last = None if self._closing else render.error(problem)
            return await connection.run(turned_away=Goodbye(code, problem.message, last=last))
        return await self._keep(connection)

    def _admit(self) -> None:
        if self._closing:
            raise Overloaded("overloaded", STOPPING, retry_after=_FULL_FOR)
        if len(self._open) >= self._house.options.max_sockets:
            raise Overloaded("overloaded", "Too many people are here: try again.", retry_after=_FULL_FOR)

    async def _keep(self, line: Line) -> None:
        ended = self._open[line] = asyncio.get_running_loop().create_future()
        try:
            await line.run()
        finally:
            del self._open[line]
            ended.set_result(None)
