"""Holds what comes of the bot's answers against its promise, language by language, and raises an alert when it slips.

An answer is taken for wrong where its customer turned the thumb down, or asked for a person next. Who says nothing is
taken to be content, so a promise that has slipped here is broken indeed, and one that has not may be.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from functools import partial

from bot.domain.kept import slipped
from bot.engine.desk import Desk
from bot.store import alerts, promises
from bot.store.promises import Count, Outcome
from training.promise import Promise

log = logging.getLogger(__name__)

EVERY_S = 60.0
PAGE = 500
"""Turns a read: a session is held briefly, however much there is."""
SETTLED = timedelta(hours=1)
"""An answer is judged by what came of it within this time."""


async def watch(desk: Desk) -> int:
    """Counts what has settled since the last time, as far as anything is promised; returns how many turns it saw."""
    seen = 0
    while page := await _page(desk):
        seen += page
    return seen


async def _page(desk: Desk) -> int:
    live = desk.mind.current()
    if live.promised is None:
        return 0
    now = desk.clock.now()
    after = await desk.store.write(partial(promises.place, now=now))
    wanted = partial(promises.outcomes, release=live.release, after=after, before=now - SETTLED, limit=PAGE)
    async with desk.store.read() as session:
        found = await wanted(session)
    if found:
        await _count(desk, live.release, found, after=after)
        await _judge(desk, live.release, live.promised.promise)
    return len(found)


async def _count(desk: Desk, release: str, found: list[Outcome], *, after: promises.Place) -> None:
    now = desk.clock.now()
    await desk.store.write(lambda session: promises.count(session, release, found, now, after=after))


async def _judge(desk: Desk, release: str, promise: Promise) -> None:
    async with desk.store.read() as session:
        counted = await promises.counts(session, release)
    for one in counted:
        if slipped(one.wrong, one.answered, promised=promise.wrong, sure=promise.sure):
            await _alert(desk, release, one, promise)


async def _alert(desk: Desk, release: str, one: Count, promise: Promise) -> None:
    about = {
        "release": release,
        "lang": one.lang,
        "answered": one.answered,
        "wrong": one.wrong,
        "promised": promise.wrong,
        "sure": promise.sure,
    }
    now, subject = desk.clock.now(), f"{release} {one.lang}"
    if await desk.store.write(lambda session: alerts.open_alert(session, "promise", subject, about, now=now)):
        log.warning(
            "the promise has slipped in %s: %d of %d answers were wrong to their customers, promised was %g",
            one.lang,
            one.wrong,
            one.answered,
            promise.wrong,
        )


async def keep_watching(desk: Desk) -> None:
    """Runs until cancelled."""
    while True:
        try:
            await watch(desk)
        except Exception:  # the next one may work, and must be tried
            log.exception("whether the promise is kept was not looked at")
        await asyncio.sleep(EVERY_S)
