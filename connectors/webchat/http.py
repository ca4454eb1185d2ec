"""The web chat without WebSockets: frames are posted, and what happens comes as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import hdrs, web

from connectors.errors import ConnectorError, Refused
from connectors.http import bearer, cors, preflight, read_body, refusal
from connectors.ids import IDEMPOTENCY_KEY, message_id
from connectors.origins import Origins, Peers
from connectors.reading import Object, spoken
from connectors.uncut import uncut
from connectors.webchat import opening
from connectors.webchat.commands import Commands
from connectors.webchat.events import Stream
from connectors.webchat.frames import MAX_FRAME, VERSION, ClientFrame, Hello, subject
from connectors.webchat.house import House
from connectors.webchat.line import Line
from connectors.webchat.parse import read_hello, understand, unpack
from connectors.webchat.tokens import Session, SessionError

LAST_EVENT_ID = "Last-Event-ID"
TOKEN = "token"  # noqa: S105
_HEADERS = ", ".join((hdrs.AUTHORIZATION, hdrs.CONTENT_TYPE, IDEMPOTENCY_KEY, LAST_EVENT_ID))

Keep = Callable[[Line], Awaitable[None]]
"""Runs a line to its end, known to those who close the channel."""


class Http:
    """Of one channel instance. `admit` raises `Overloaded` where there is no room for another line."""

    def __init__(
        self, house: House, *, origins: Origins, peers: Peers, admit: Callable[[], None], keep: Keep
    ) -> None:
        self._house = house
        self._origins = origins
        self._peers = peers
        self._admit = admit
        self._keep = keep

    def routes(self) -> Sequence[web.RouteDef]:
        at = f"/channels/{self._house.instance}"
        return [
            web.get(f"{at}/events", self._guarded(self._events), allow_head=False),
            web.post(f"{at}/messages", self._guarded(self._message)),
            web.options(f"{at}/events", self._guarded(self._preflight)),
            web.options(f"{at}/messages", self._guarded(self._preflight)),
        ]

    def _guarded(
        self, handle: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def guard(request: web.Request) -> web.StreamResponse:
            if not self._admits(request):
                return refusal(Refused("origin_refused", "This page may not open this chat."), type="error")
            try:
                response = await handle(request)
            except ConnectorError as problem:
                response = refusal(problem, type="error")
            if not response.prepared:
                response.headers.update(cors(request))
            return response

        return guard

    def _admits(self, request: web.Request) -> bool:
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None and request.method == hdrs.METH_GET:
            # Browsers name no origin when a page reads from its own server; from another's it cannot be hidden.
            return request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")
        return self._origins.admits(origin, host=request.host)

    async def _preflight(self, request: web.Request) -> web.StreamResponse:
        return preflight(request, methods="GET, POST", headers=_HEADERS)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        self._admit()
        hello = _hello(request)
        session = opening.session_of(hello, self._house)
        if request.transport is None:
            raise Refused("bad_handshake", "Nobody is there any more.")
        stream = Stream(self._house, session, last_seq=hello.last_seq, transport=request.transport)
        stream.response.headers.update(cors(request))
        await stream.open(request)
        await self._keep(stream)
        return stream.response

    async def _message(self, request: web.Request) -> web.StreamResponse:
        session = self._session(request)
        if pause := self._house.limits.pause(session.id):
            await asyncio.sleep(pause)
        given = unpack(await read_body(request, limit=MAX_FRAME))
        if given.get("type") in ("message", "choice") and "id" not in given:
            given["id"] = message_id(request.headers.get(IDEMPOTENCY_KEY))
        return await self._obey(understand(given), session, request)

    async def _obey(self, frame: ClientFrame, session: Session, request: web.Request) -> web.Response:
        commands = Commands(
            self._house,
            session,
            peer=self._peers.of(request.remote, forwarded=request.headers.getall(hdrs.X_FORWARDED_FOR, [])),
            locale=spoken(request.query.get("locale"), self._house.gateway.profile().languages),
            acknowledge=lambda seq: self._acknowledge(session.conversation, seq),
        )
        try:
            answer = await commands.obey(frame)
        except ConnectorError as problem:
            return refusal(problem, type="error", ref=subject(frame))
        if answer is None:
            return web.Response(status=204)
        return web.Response(body=answer, content_type="application/json")

    def _session(self, request: web.Request) -> Session:
        token = bearer(request, query=TOKEN)
        if token is None:
            raise SessionError("session_invalid", "Open the events first: their welcome brings a token.")
        return self._house.tokens.read(token, instance=self._house.instance)

    async def _acknowledge(self, conversation: str, seq: int) -> None:
        gateway = self._house.gateway
        await uncut(gateway.delivered(conversation, min(seq, await gateway.last_seq(conversation))))


def _hello(request: web.Request) -> Hello:
    """What a WebSocket's first frame says, from the request. Raises `Malformed`."""
    said: Object = {"type": "hello", "v": VERSION, "token": bearer(request, query=TOKEN)}
    said["locale"] = request.query.get("locale")
    last = request.headers.get(LAST_EVENT_ID) or request.query.get("last_seq", "0")
    said["last_seq"] = int(last) if last.isascii() and last.isdigit() and len(last) < 20 else last
    return read_hello(said)
