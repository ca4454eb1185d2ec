"""A bot that answers as the one of its home does, and leaves nothing behind: no conversation in anybody's ledger.

It has a database of its own, which knows what the real one knows and which release is to answer. What takes long to
make (vectors of texts, heads by the hash of what they were learned from) is shared with the home.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bot.app import Bot, open_bot
from bot.clock import SystemClock
from bot.definition import FOLDER, BotDefinition
from bot.errors import HomeError, InferenceError, NotFound
from bot.inference.child import Progress
from bot.inference.encodings import Encodings
from bot.settings import Settings
from bot.store import catalogue, knowledge, releases
from bot.store.db import Database
from bot.store.entries import CONTENT, KnowledgeRow
from bot.store.session import Session
from training.release import BASE

SHARED = ("releases", "vectors", "menders")
PAGE = 500
WHY = releases.Note("kefu eval")


@dataclass(frozen=True, slots=True)
class Known:
    """What the real database says. `taken`: what was taken in beside the bot folder's own files, by source."""

    taken: Mapping[str, Sequence[KnowledgeRow]] = field(default_factory=dict)
    aliases: releases.Aliases = field(default_factory=releases.Aliases)


@asynccontextmanager
async def rehearsing(
    definition: BotDefinition,
    settings: Settings,
    *,
    release: str | None,
    progress: Progress,
    encodings: Encodings | None = None,
) -> AsyncIterator[Bot]:
    """`release`: the one that answers, or an alias; None: what is live. `encodings`: what it answers with, where it is
    not in the home yet. Raises NotFound, InferenceError.
    """
    known = await read_known(settings)
    wanted = known.aliases.meant(release or releases.LIVE)
    there = (settings.home / "releases" / wanted).is_dir
    if wanted != BASE and encodings is None and not await asyncio.to_thread(there):
        # Before anything slow begins.
        raise NotFound(f"There is no release `{wanted}`.", hint="`kefu releases list` shows what there is.")
    place = await asyncio.to_thread(_make_place, settings.home)
    try:
        url = f"sqlite:///{place / 'kefu.db'}"
        await _fill(url, known.taken, wanted)
        own = settings.model_copy(update={"home": place, "database_url": url})
        async with open_bot(definition, own, progress=progress, encodings=encodings) as bot:
            if bot.host.trouble is not None:
                hint = "`kefu releases` lists those that can serve."
                raise InferenceError(f"{wanted} cannot answer: {bot.host.trouble.reason}", hint=hint)
            yield bot
    finally:
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)


async def read_known(settings: Settings) -> Known:
    """Nothing, and base, where there is no database yet."""
    if not await asyncio.to_thread(_exists, settings):
        return Known()
    store = Database(settings.database_url)
    await store.open()
    taken: dict[str, list[KnowledgeRow]] = defaultdict(list)
    try:
        async with store.read() as session:
            aliases, after = await releases.aliases(session), ""
            wanted = catalogue.Wanted(active=True)
            while rows := await catalogue.entries(session, wanted, after=after, limit=PAGE):
                after = rows[-1].id
                for row in rows:
                    if not row.source.startswith(FOLDER):
                        taken[row.source].append(_row(row))
    finally:
        await store.close()
    return Known(taken, aliases)


def _exists(settings: Settings) -> bool:
    scheme, _, path = settings.database_url.partition(":///")
    return not scheme.startswith("sqlite") or Path(f"/{path.lstrip('/')}").is_file()


def _row(row: catalogue.StoredEntry) -> KnowledgeRow:
    return KnowledgeRow(row.key, row.lang, **{name: getattr(row, name) for name in CONTENT})


async def _fill(url: str, taken: Mapping[str, Sequence[KnowledgeRow]], release: str) -> None:
    store, now = Database(url), SystemClock().now()
    await store.open()
    try:
        for source, rows in taken.items():
            for start in range(0, len(rows), PAGE):
                await store.write(partial(_put, source=source, rows=rows[start : start + PAGE]))
        if release != BASE:
            await store.write(lambda s: releases.promote(s, release, now, instead=BASE, note=WHY))
    finally:
        await store.close()


async def _put(session: Session, *, source: str, rows: Sequence[KnowledgeRow]) -> None:
    await knowledge.sync(session, source, rows, SystemClock().now(), prune=False)


def _make_place(home: Path) -> Path:
    """A home that shares with the real one what is found there by its content."""
    try:
        place = Path(tempfile.mkdtemp(prefix="kefu-eval-"))
        for name in SHARED:
            (home / name).mkdir(parents=True, exist_ok=True)
            (place / name).symlink_to((home / name).absolute())
    except OSError as error:
        raise HomeError(
            f"{error.filename or home}: {error.strerror}.", hint="Name another home: --home."
        ) from error
    return place
