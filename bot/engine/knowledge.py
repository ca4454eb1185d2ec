"""Knowledge on its way to what answers: files into the database, and out of it what is answered today."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from bot.clock import Clock
from bot.definition import FOLDER
from bot.inference.bundles import Knowledge
from bot.store import knowledge as shelf
from bot.store.db import Database
from bot.store.session import Session
from retrieval.types import Entry


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
