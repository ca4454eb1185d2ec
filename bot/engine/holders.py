"""Who holds a conversation may change in another process, such as `kefu escalations --close`: open pages are told."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from bot.engine.desk import Desk
from bot.store import escalations, ledger
from connectors.port import Frame

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
CHUNK = 500
"""Conversations asked about at once."""
BACK = timedelta(seconds=30)
"""Looked at again: a transaction is committed after the time that it wrote down."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest count of cases that changed hands, and when it was looked at."""

    revision: int
    at: datetime


async def look(desk: Desk, seen: Seen) -> Seen:
    """One row as a rule. Where cases changed hands, pages hear who holds their conversation, some of them again."""
    now = desk.clock.now()
    async with desk.store.read() as session:
        revision = await escalations.revision(session)
    if revision != seen.revision:
        await _tell(desk, since=seen.at - BACK)
    return Seen(revision, now)


async def keep_looking(desk: Desk, *, every: float = LOOK_EVERY_S) -> None:
    """Runs until cancelled. What changed before the first look is read by the pages themselves."""
    seen = Seen(0, desk.clock.now())
    while True:
        try:
            seen = await look(desk, seen)
        except Exception:  # the next one may work, and must be tried
            log.exception("who holds the conversations was not looked at")
        await asyncio.sleep(every)


async def _tell(desk: Desk, *, since: datetime) -> None:
    watched = iter(desk.bus.subscribed())
    while chunk := list(islice(watched, CHUNK)):
        async with desk.store.read() as session:
            held = await ledger.changed_since(session, chunk, since)
        for conversation, status in held.items():
            desk.bus.publish(Frame("status", conversation, status=status))
