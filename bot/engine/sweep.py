"""Takes up what was acknowledged and not answered: at the start, and every so often."""

from __future__ import annotations

import asyncio
import logging

from bot.engine.desk import Desk
from bot.engine.lanes import Lanes
from bot.store import ledger

log = logging.getLogger(__name__)

EVERY_S = 15.0
PAGE = 500
"""Rows a read: a session is held briefly, however much is owed."""


async def sweep(desk: Desk, lanes: Lanes) -> int:
    """Put all that is owed into its lanes, oldest first; returns how many. What is there already stays once."""
    owed = await _owed(desk)
    # All in one go: no lane begins with a later message while an earlier one is still being read.
    for conversation, seqs in owed.items():
        for seq in seqs:
            lanes.put(conversation, seq)
    return sum(map(len, owed.values()))


async def _owed(desk: Desk) -> dict[str, list[int]]:
    """Numbers of unanswered messages by conversation; the longest waiting conversation first."""
    owed: dict[str, list[int]] = {}
    after: ledger.Pending | None = None
    while True:
        async with desk.store.read() as session:
            page = await ledger.unanswered(session, PAGE, after=after)
        for after in page:
            owed.setdefault(after.conversation, []).append(after.seq)
        if len(page) < PAGE:
            return {conversation: sorted(seqs) for conversation, seqs in owed.items()}


async def keep_sweeping(desk: Desk, lanes: Lanes) -> None:
    """Runs until cancelled."""
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            await sweep(desk, lanes)
        except Exception:  # the next one may work, and must be tried
            log.exception("sweep failed")
