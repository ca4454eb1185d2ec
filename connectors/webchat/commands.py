"""One client frame -> the engine -> the answer. Nothing a client sends or the engine raises comes out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, assert_never

from connectors.errors import Refused
from connectors.port import Inbound, QuickReply
from connectors.webchat import render
from connectors.webchat.frames import (
    Ack,
    Choose,
    ClientFrame,
    FrameError,
    Hello,
    Ping,
    Rate,
    Say,
    subject,
)
from connectors.webchat.house import House
from connectors.webchat.parse import parse
from connectors.webchat.tokens import Session
from connectors.webchat.trouble import told

_T = TypeVar("_T")


class Commands:
    """Of one session on one socket. `acknowledge` is told what the screen has shown."""

    def __init__(
        self,
        house: House,
        session: Session,
        *,
        peer: str,
        locale: str | None,
        acknowledge: Callable[[int], None],
    ) -> None:
        self._house = house
        self._session = session
        self._peer = peer
        self._locale = locale
        self._acknowledge = acknowledge

    async def answer(self, data: bytes) -> bytes | None:
        """The frame to send back, if there is one to send at once."""
        try:
            frame = parse(data)
        except FrameError as problem:
            return render.error(problem, ref=problem.ref)
        try:
            return await self._obey(frame)
        except Exception as problem:
            error = told(problem, instance=self._house.instance, doing=type(frame).__name__)
            return render.error(error, ref=subject(frame))

    async def _obey(self, frame: ClientFrame) -> bytes | None:
        match frame:
            case Ping():
                return render.PONG
            case Ack(seq=seq):
                return self._acknowledge(seq)
            case Say(id=ref, text=text):
                self._take()
                return await self._store(ref, text)
            case Choose(id=ref):
                self._take()
                reply = await self._pressed(frame)
                return await self._store(ref, reply.label, choice=reply.value)
            case Rate(of=of, vote=vote):
                self._take()
                # Its `feedback` frame comes by the subscription, in the order in which votes were stored.
                return await _uncut(self._house.gateway.feedback(self._session.conversation, of, vote))
            case Hello():
                raise FrameError("bad_frame", "'hello' comes once, as the first frame.")
            case _:
                assert_never(frame)

    def _take(self) -> None:
        self._house.limits.take(self._session.id, peer=self._peer)

    async def _store(self, ref: str, text: str, *, choice: str | None = None) -> bytes:
        inbound = Inbound(
            channel=self._house.instance,
            scope=self._session.id,
            external_id=ref,
            conversation=self._session.conversation,
            text=text,
            choice=choice,
            locale=self._locale,
        )
        return render.accepted(ref, await _uncut(self._house.gateway.receive(inbound)))

    async def _pressed(self, choose: Choose) -> QuickReply:
        """The button as it was stored: a page cannot invent one, nor another label for it."""
        conversation = self._session.conversation
        page = (
            await self._house.gateway.history_after(conversation, choose.of - 1, limit=1) if choose.of else ()
        )
        for message in page:
            for reply in message.quick_replies:
                if message.seq == choose.of and reply.value == choose.value:
                    return reply
        raise Refused("no_such_message", "There is no such message, or no such button under it.")


async def _uncut(call: Coroutine[Any, Any, _T]) -> _T:
    """A write that has begun is finished though the socket goes: the answer is lost, the row is not."""
    task = asyncio.ensure_future(call)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
