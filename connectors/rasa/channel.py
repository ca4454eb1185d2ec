"""The channel: Rasa's two routes, who may ask, and requests that wait for their answer."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from aiohttp import hdrs, web

from connectors.choices import pressed
from connectors.errors import Overloaded, Refused
from connectors.http import bearer, cors, preflight, read_body, refusal
from connectors.ids import IDEMPOTENCY_KEY, message_id
from connectors.limits import Limits
from connectors.origins import Origins, Peers
from connectors.port import Gateway, Inbound, Message
from connectors.rasa import render
from connectors.rasa.options import RasaOptions
from connectors.rasa.parse import MAX_BODY, Uttered, parse
from connectors.rasa.replies import exchange
from connectors.rasa.senders import conversation_of
from connectors.reading import spoken
from connectors.trouble import told

WEBHOOK = "/webhooks/rest/webhook"
_HEADERS = ", ".join((hdrs.AUTHORIZATION, hdrs.CONTENT_TYPE, IDEMPOTENCY_KEY))
_FULL_FOR = 5.0
"""Seconds after which a client that found no room may try again."""


class Rasa:
    """Implements `connectors.port.Channel`. `secret` makes senders' conversations unguessable.

    Raises ValueError for a bad option.
    """

    def __init__(self, instance: str, gateway: Gateway, *, secret: str, options: RasaOptions) -> None:
        self._instance = instance
        self._gateway = gateway
        self._secret = secret
        self._options = options
        self._limits = Limits(options)
        self._origins = Origins(options.origins, allow_missing=True)
        self._peers = Peers(options.trusted_proxies)
        self._waiting: dict[asyncio.Future[None], asyncio.Timeout] = {}
        self._closing = False

    @property
    def instance(self) -> str:
        return self._instance

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.get("/webhooks/rest/", self._health),
            web.post(WEBHOOK, self._handle),
            web.options(WEBHOOK, self._handle),
        ]

    async def close(self) -> None:
        """Requests that wait get a last moment; none is taken from here on."""
        self._closing = True
        latest = asyncio.get_running_loop().time() + self._options.close_within
        for timeout in self._waiting.values():
            if not timeout.expired():
                timeout.reschedule(min(latest, timeout.when() or latest))
        if self._waiting:
            await asyncio.wait(list(self._waiting))

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if not self._origins.admits(request.headers.get(hdrs.ORIGIN), host=request.host):
            return refusal(Refused("origin_refused", "This page may not talk to this bot."))
        if request.method == hdrs.METH_OPTIONS:
            return preflight(request, methods="POST", headers=_HEADERS)
        try:
            response = await self._webhook(request)
        except Exception as problem:
            response = refusal(told(problem, instance=self._instance, doing="a message"))
        if not response.prepared:
            response.headers.update(cors(request))
        return response

    async def _webhook(self, request: web.Request) -> web.StreamResponse:
        self._admit(request)
        uttered = parse(await read_body(request, limit=MAX_BODY))
        inbound = await self._inbound(uttered, request)
        async with exchange(self._gateway, inbound) as replies:
            if request.query.get("stream", "").lower() == "true":
                return await self._stream(replies, uttered.sender, request)
            shown: list[Message] = []
            async with self._patience() as timeout:
                async for message in replies:
                    shown.append(message)
            if self._closing and timeout.expired():
                again = f"The message is stored. Send it again with the same {IDEMPOTENCY_KEY}."
                raise Overloaded("overloaded", again, retry_after=_FULL_FOR)
        return web.json_response([m for message in shown for m in render.messages(message, uttered.sender)])

    async def _stream(
        self, replies: AsyncIterator[Message], sender: str, request: web.Request
    ) -> web.StreamResponse:
        """One JSON object a line, as each is committed: not the framing of server-sent events."""
        response = web.StreamResponse(headers=cors(request))
        response.content_type, response.charset = "text/event-stream", "utf-8"
        await response.prepare(request)
        try:
            async with self._patience():
                async for message in replies:
                    for shown in render.messages(message, sender):
                        await response.write(json.dumps(shown).encode() + b"\n")
        except ConnectionError:
            return response  # gone: what was said is stored
        except Exception as problem:  # the lines that were written cannot be taken back
            told(problem, instance=self._instance, doing="a stream")
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(self._options.close_within):
                await response.write_eof()
        return response

    @asynccontextmanager
    async def _patience(self) -> AsyncIterator[asyncio.Timeout]:
        """Leaves the block where the answer takes too long, or the server stops."""
        ended = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._options.reply_within) as timeout:
                self._waiting[ended] = timeout
                yield timeout
        except TimeoutError:
            pass
        finally:
            del self._waiting[ended]
            ended.set_result(None)

    def _admit(self, request: web.Request) -> None:
        token = self._options.token
        given = bearer(request, query="token") or ""
        if token is not None and not hmac.compare_digest(given.encode(), token.encode()):
            raise Refused("unauthorised", "Name the token: 'Authorization: Bearer ...' or '?token=...'.")
        if self._closing or len(self._waiting) >= self._options.max_waiting:
            raise Overloaded("overloaded", "Too much to do here: try again.", retry_after=_FULL_FOR)

    async def _inbound(self, uttered: Uttered, request: web.Request) -> Inbound:
        conversation = conversation_of(uttered.sender, instance=self._instance, key=self._secret)
        external_id = message_id(request.headers.get(IDEMPOTENCY_KEY))
        forwarded = request.headers.getall(hdrs.X_FORWARDED_FOR, [])
        self._limits.take(conversation, peer=self._peers.of(request.remote, forwarded=forwarded))
        text, choice = uttered.text, None
        if button := uttered.pressed:
            reply = await pressed(self._gateway, conversation, of=button.of, value=button.value)
            text, choice = reply.label, reply.value
        return Inbound(
            channel=self._instance,
            scope=conversation,
            external_id=external_id,
            conversation=conversation,
            text=text,
            choice=choice,
            locale=spoken(uttered.locale, self._gateway.profile().languages),
        )
