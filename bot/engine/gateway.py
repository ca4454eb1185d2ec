"""The engine as channels see it: the connectors' `Gateway`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager

from bot.engine.desk import Desk
from bot.engine.lanes import Lanes
from bot.errors import KefuError, NotFound, StoreError
from bot.store import ledger
from connectors.errors import ConnectorError, Overloaded, Refused
from connectors.port import Frame, Inbound, Message, Profile, Receipt, Status, Vote

RETRY_S = 2.0


class EngineGateway:
    """Receives into the ledger and wakes the lane; everything else reads committed rows or the bus."""

    def __init__(self, desk: Desk, lanes: Lanes, profile: Profile) -> None:
        self._desk, self._lanes, self._profile = desk, lanes, profile

    async def receive(self, inbound: Inbound) -> Receipt:
        desk, now = self._desk, self._desk.clock.now()
        message = ledger.NewMessage(
            channel=inbound.channel, scope=inbound.scope, external_id=inbound.external_id,
            conversation=inbound.conversation, text=inbound.text, choice=inbound.choice, locale=inbound.locale,
        )  # fmt: skip
        try:
            accepted = await desk.store.write(lambda session: ledger.accept(session, message, now))
        except KefuError as error:
            raise _for_channels(error) from error
        if not accepted.duplicate:
            shown = Message(
                accepted.seq, "customer", inbound.text, accepted.at, external_id=inbound.external_id
            )
            desk.bus.publish(Frame("final", inbound.conversation, seq=accepted.seq, message=shown))
        self._lanes.put(inbound.conversation, accepted.seq)
        return Receipt(inbound.conversation, accepted.seq, accepted.at, accepted.duplicate)

    async def history_after(self, conversation: str, seq: int, *, limit: int = 200) -> Sequence[Message]:
        async with self._desk.store.read() as session:
            return await ledger.history_after(session, conversation, seq, limit=limit)

    async def last_seq(self, conversation: str) -> int:
        async with self._desk.store.read() as session:
            return await ledger.last_seq(session, conversation)

    async def status(self, conversation: str) -> Status:
        async with self._desk.store.read() as session:
            return await ledger.status(session, conversation)

    def subscribe(self, conversation: str) -> AbstractAsyncContextManager[AsyncIterator[Frame]]:
        return self._desk.bus.subscribe(conversation)

    async def feedback(self, conversation: str, seq: int, vote: Vote | None) -> None:
        now = self._desk.clock.now()
        try:
            await self._desk.store.write(
                lambda session: ledger.vote(session, conversation, seq, vote=vote, now=now)
            )
        except KefuError as error:
            raise _for_channels(error) from error
        self._desk.bus.publish(Frame("feedback", conversation, seq=seq, vote=vote))

    async def delivered(self, conversation: str, seq: int) -> None:
        now = self._desk.clock.now()
        await self._desk.store.write(lambda session: ledger.delivered(session, conversation, seq, now=now))

    def profile(self) -> Profile:
        return self._profile


def _for_channels(error: KefuError) -> ConnectorError:
    match error:
        case NotFound():
            return Refused("no_such_message", error.message)
        case StoreError(code="unknown_conversation"):
            return Refused("unknown_conversation", error.message)
        case _:
            return Overloaded("overloaded", error.message, retry_after=RETRY_S)
