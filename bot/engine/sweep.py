"""Takes up what was acknowledged and not answered: at the start, and every so often."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from bot.engine.desk import Desk
from bot.engine.lanes import Lanes
from bot.errors import StoreError
from bot.store import ledger

log = logging.getLogger(__name__)

EVERY_S = 15.0
BATCH = 500
SETTLED = timedelta(seconds=10)
"""Younger messages are in their lanes already."""


async def sweep(desk: Desk, lanes: Lanes, *, all_ages: bool = False) -> int:
    """Put every unanswered message into its lane, oldest first; returns how many there were."""
    before = desk.clock.now() - (timedelta(0) if all_ages else SETTLED)
    async with desk.store.read() as session:
        pending = await ledger.unanswered(session, limit=BATCH, before=before)
    for message in pending:
        lanes.put(message.conversation, message.seq)
    return len(pending)


async def keep_sweeping(desk: Desk, lanes: Lanes) -> None:
    """Runs until cancelled."""
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            await sweep(desk, lanes)
        except StoreError as error:
            log.warning("sweep: %s", error.message)
