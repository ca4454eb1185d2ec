"""The engine as channels see it: the connectors' `Gateway`."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager

from bot.engine.desk import Desk
from bot.engine.lanes import Lanes
from bot.errors import KefuError, NotFound
from bot.store import ledger
from connectors.errors import Overloaded, Refused
from connectors.port import Frame, Inbound, Message, Profile, Receipt, Status, Vote

log = logging.getLogger(__name__)

RETRY_S = 2.0
_HOPELESS = ("unknown_conversation", "bad_text")
"""Codes of what stays wrong however often it is tried."""


class EngineGateway:
    """Receives into the ledger and wakes the lane; everything else reads committed rows or the bus."""

    def __init__(self, desk: Desk, lanes: Lanes, profile: Profile) -> None:
        self._desk, self._lanes, self._profile = desk, lanes, profile

    async def receive(self, inbound: Inbound) -> Receipt:
        desk, now = self._desk, self._desk.clock.now()
        with _for_channels():
            accepted = await desk.store.write(lambda session: ledger.accept(session, inbound, now))
        desk.observer.received(inbound.channel, duplicate=accepted.duplicate)
        if not accepted.duplicate:
            shown = Message(
                accepted.seq, "customer", inbound.text, accepted.at, external_id=inbound.external_id
            )
            desk.bus.publish(Frame("final", inbound.conversation, seq=accepted.seq, message=shown))
        self._lanes.put(inbound.conversation, accepted.seq)
        return Receipt(inbound.conversation, accepted.seq, accepted.at, accepted.duplicate)

    async def history_after(self, conversation: str, seq: int, *, limit: int = 200) -> Sequence[Message]:
        with _for_channels():
            async with self._desk.store.read() as session:
                return await ledger.history_after(session, conversation, seq, limit=limit)

    async def last_seq(self, conversation: str) -> int:
        with _for_channels():
            async with self._desk.store.read() as session:
                return await ledger.last_seq(session, conversation)

    async def status(self, conversation: str) -> Status:
        with _for_channels():
            async with self._desk.store.read() as session:
                return await ledger.status(session, conversation)

    def subscribe(self, conversation: str) -> AbstractAsyncContextManager[AsyncIterator[Frame]]:
        return self._desk.bus.subscribe(conversation)

    async def feedback(self, conversation: str, seq: int, vote: Vote | None) -> None:
        now = self._desk.clock.now()
        with _for_channels():
            await self._desk.store.write(
                lambda session: ledger.vote(session, conversation, seq, vote=vote, now=now)
            )
        self._desk.bus.publish(Frame("feedback", conversation, seq=seq, vote=vote))

    async def delivered(self, conversation: str, seq: int) -> None:
        now = self._desk.clock.now()
        with _for_channels():
            await self._desk.store.write(
                lambda session: ledger.delivered(session, conversation, seq, now=now)
            )

    def profile(self) -> Profile:
        return self._profile


@contextmanager
def _for_channels() -> Iterator[None]:
    """The bot's errors in the connectors' words. What ails the database is the log's business, not a customer's."""
    try:
        yield
    except NotFound as error:
        raise Refused("no_such_message", error.message) from error
    except KefuError as error:
        if error.code in _HOPELESS:
            raise Refused(error.code, error.message) from error
        log.warning("store: %s", error.message)
        raise Overloaded("overloaded", "Too much to do here: try again.", retry_after=RETRY_S) from error
