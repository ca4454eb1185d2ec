"""Takes up what was acknowledged and not answered: at the start, and every so often."""

from __future__ import annotations

import asyncio
import logging

from bot.engine.desk import Desk
from bot.engine.lanes import Lanes
from bot.store import ledger

log = logging.getLogger(__name__)

EVERY_S = 15.0
BATCH = 500


async def sweep(desk: Desk, lanes: Lanes) -> int:
    """Put unanswered messages into their lanes, oldest first; returns how many. One that is there stays once."""
    async with desk.store.read() as session:
        pending = await ledger.unanswered(session, limit=BATCH)
    for message in pending:
        lanes.put(message.conversation, message.seq)
    return len(pending)


async def keep_sweeping(desk: Desk, lanes: Lanes) -> None:
    """Runs until cancelled."""
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            await sweep(desk, lanes)
        except Exception:  # the next one may work, and must be tried
            log.exception("sweep failed")
