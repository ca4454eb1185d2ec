"""One client frame -> the engine -> the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import assert_never

from connectors.choices import pressed
from connectors.errors import ConnectorError, Malformed
from connectors.port import Inbound
from connectors.trouble import told
from connectors.uncut import uncut
from connectors.webchat import render
from connectors.webchat.frames import Ack, Choose, ClientFrame, Hello, Ping, Rate, Say, subject
from connectors.webchat.house import House
from connectors.webchat.parse import parse
from connectors.webchat.tokens import Session


class Commands:
    """Of one session on one connection. `acknowledge` is told what the screen has shown."""

    def __init__(
        self,
        house: House,
        session: Session,
        *,
        peer: str,
        locale: str | None,
        acknowledge: Callable[[int], Awaitable[None]],
    ) -> None:
        self._house = house
        self._session = session
        self._peer = peer
        self._locale = locale
        self._acknowledge = acknowledge

    async def answer(self, data: bytes) -> bytes | None:
        """The frame to send back, if there is one. Nothing a client sends or the engine raises comes out."""
        try:
            frame = parse(data)
        except Malformed as problem:
            return render.error(problem)
        try:
            return await self.obey(frame)
        except ConnectorError as problem:
            return render.error(problem, ref=subject(frame))

    async def obey(self, frame: ClientFrame) -> bytes | None:
        """As `answer`, of a frame that was read. Raises `ConnectorError`."""
        try:
            return await self._obey(frame)
        except Exception as problem:
            raise told(problem, instance=self._house.instance, doing=type(frame).__name__) from None

    async def _obey(self, frame: ClientFrame) -> bytes | None:
        match frame:
            case Ping():
                return render.PONG
            case Ack(seq=seq):
                await self._acknowledge(seq)
                return None
            case Say(id=ref, text=text):
                self._take()
                return await self._store(ref, text)
            case Choose(id=ref):
                self._take()
                conversation = self._session.conversation
                reply = await pressed(self._house.gateway, conversation, of=frame.of, value=frame.value)
                return await self._store(ref, reply.label, choice=reply.value)
            case Rate(of=of, vote=vote):
                self._take()
                # Its `feedback` frame comes by the subscription, in the order in which votes were stored.
                return await uncut(self._house.gateway.feedback(self._session.conversation, of, vote))
            case Hello():
                raise Malformed("bad_frame", "'hello' comes once, as the first frame.")
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
        return render.accepted(ref, await uncut(self._house.gateway.receive(inbound)))
