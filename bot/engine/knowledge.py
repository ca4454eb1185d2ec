"""Knowledge on its way to what answers: files into the database, the database's revision into a new bundle."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

from bot.clock import Clock
from bot.definition import FOLDER
from bot.inference.bundles import Knowledge
from bot.inference.understanding import Live
from bot.store import knowledge as shelf
from bot.store.db import Database
from bot.store.session import Session
from retrieval.types import Entry

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
RETRY_S = 30.0
"""After a failure: a disk that is full is so for a while."""


class Refreshes(Protocol):
    def current(self) -> Live: ...

    async def refresh(self, knowledge: Knowledge) -> Live: ...


async def sync_folder(store: Database, rows: Iterable[tuple[str, Entry]], *, clock: Clock) -> None:
    """Make the database say what the bot folder's files say; nothing is written where nothing changed.

    A file that is gone takes its answers with it.
    """
    by_source: defaultdict[str, list[Entry]] = defaultdict(list)
    for file, entry in rows:
        by_source[FOLDER + file].append(entry)
    async with store.read() as session:
        known = [s for s in await shelf.sources(session) if s.startswith(FOLDER)]
    for source in sorted({*by_source, *known}):
        entries = [shelf.from_entry(entry) for entry in by_source[source]]
        await store.write(partial(_sync, source=source, entries=entries, now=clock.now()))


async def _sync(
    session: Session, *, source: str, entries: Sequence[shelf.KnowledgeRow], now: datetime
) -> shelf.SyncReport:
    return await shelf.sync(session, source, entries, now, prune=True)


async def read_knowledge(store: Database) -> Knowledge:
    async with store.read() as session:
        return await knowledge_in(session)


async def knowledge_in(session: Session) -> Knowledge:
    """Revision and answers of one snapshot."""
    return Knowledge(await shelf.revision(session), tuple(await shelf.active(session)))


async def keep_fresh(
    store: Database, host: Refreshes, *, every: float = LOOK_EVERY_S, retry: float = RETRY_S
) -> None:
    """Runs until cancelled: a newer revision becomes a bundle in the background and goes live."""
    pause = every
    while True:
        await asyncio.sleep(pause)
        try:
            await _refresh(store, host)
            pause = every
        except Exception:  # whatever it was, knowledge must not stay as it is for good
            log.exception("knowledge not refreshed: tried again in %.0f s", retry)
            pause = retry


async def _refresh(store: Database, host: Refreshes) -> None:
    async with store.read() as session:
        newest = await shelf.revision(session)
    if newest != host.current().bundle.revision:
        knowledge = await read_knowledge(store)
        await host.refresh(knowledge)
        log.info("knowledge revision %d is live: %d answers", knowledge.revision, len(knowledge.entries))
