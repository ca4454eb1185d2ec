"""The few doors to rows. Handlers reach the database through these alone, and each knows who asks: what a caller
may see and change is decided here, and nowhere else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from bot.clock import Clock
from bot.definition import FOLDER
from bot.errors import Conflict, NotFound
from bot.store import catalogue, escalations, ledger, promises, spending
from bot.store import knowledge as shelf
from bot.store import sources as origins
from bot.store.db import Database
from bot.store.session import Session
from retrieval.types import Entry

StoredEntry = catalogue.StoredEntry
Wanted = catalogue.Wanted
Taken = spending.Taken
Count = promises.Count

T = TypeVar("T")

API = "api"
"""The source of what is written here, and the channel of conversations that are begun here."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `name` is for limits and logs: it is no secret, and the same for the same key."""

    name: str


@dataclass(frozen=True, slots=True)
class Rows:
    """Everything raises StoreError; what does not exist, or not for this caller, is NotFound."""

    store: Database
    clock: Clock
    caller: Caller

    async def entries(self, wanted: Wanted, *, after: str, limit: int) -> list[StoredEntry]:
        return await self._read(lambda s: catalogue.entries(s, wanted, after=after, limit=limit))

    async def entry(self, id: str) -> StoredEntry:
        return _there(await self._read(lambda s: catalogue.entry(s, id)), "answer")

    async def add_entry(self, new: Entry) -> StoredEntry:
        """Raises Conflict where this topic stands already in this language: it would be answered twice."""
        row = shelf.from_entry(new)

        async def unit(session: Session) -> StoredEntry:
            for other in await catalogue.namesakes(session, row.key, row.lang):
                raise Conflict(
                    f"`{other.key}` stands in `{other.lang}` already, from {other.source}.",
                    hint=f"Change the answer {other.id}, or give this one another key.",
                    code="exists",
                )
            id = await shelf.put(session, API, row, self.clock.now())
            return _there(await catalogue.entry(session, id), "answer")

        return await self._write(unit)

    async def change_entry(self, id: str, change: Callable[[StoredEntry], Entry]) -> StoredEntry:
        """`change` keeps key and language. Raises Conflict for an answer of the bot folder: its file would undo it."""

        async def unit(session: Session) -> StoredEntry:
            stored = await _changeable(session, id)
            await shelf.put(session, stored.source, shelf.from_entry(change(stored)), self.clock.now())
            return _there(await catalogue.entry(session, id), "answer")

        return await self._write(unit)

    async def remove_entry(self, id: str) -> int:
        """The knowledge revision afterwards. Raises Conflict as `change_entry` does."""

        async def unit(session: Session) -> int:
            await _changeable(session, id)
            await shelf.remove(session, id, self.clock.now())
            return await shelf.revision(session)

        return await self._write(unit)

    async def sources(self) -> list[origins.Stock]:
        """By name, in the order of their characters whatever the database's collation."""
        return sorted(await self._read(origins.stock), key=lambda one: one.source)

    async def remove_source(self, source: str) -> shelf.SyncReport:
        """Raises Conflict for a file of the bot folder: the next start would bring it back."""
        _expect_changeable(source)

        async def unit(session: Session) -> shelf.SyncReport:
            if source not in await shelf.sources(session):
                raise NotFound("There is no such source.")
            return await shelf.sync(session, source, (), self.clock.now(), prune=True)

        return await self._write(unit)

    async def conversations(
        self, *, channel: str | None, status: str | None, after: ledger.Place | None, limit: int
    ) -> list[ledger.Summary]:
        return await self._read(
            lambda s: ledger.conversations(s, after=after, limit=limit, channel=channel, status=status)
        )

    async def conversation(self, id: str) -> ledger.Summary:
        return _there(await self._read(lambda s: ledger.conversation(s, id)), "conversation")

    async def own_conversation(self, id: str) -> ledger.Summary:
        """One that was begun here: a customer of a channel is not spoken for."""
        found = await self.conversation(id)
        if found.channel != API:
            raise Conflict(
                "This conversation belongs to a channel.", hint="Begin one here.", code="not_begun_here"
            )
        return found

    async def begin_conversation(self, id: str, *, locale: str | None) -> ledger.Summary:
        now = self.clock.now()
        return await self._write(lambda s: ledger.begin(s, id, channel=API, locale=locale, now=now))

    async def traces(self, conversation: str, seq: int, *, limit: int) -> list[ledger.Traced]:
        return await self._read(lambda s: ledger.traces(s, conversation, seq, limit=limit))

    async def replies(self, conversation: str, seq: int) -> ledger.Replies:
        return await self._read(lambda s: ledger.replies(s, conversation, seq))

    async def open_cases(
        self, *, after: tuple[datetime, str] | None, limit: int
    ) -> list[escalations.OpenCase]:
        now = self.clock.now()
        return await self._read(lambda s: escalations.list_open(s, now, limit=limit, after=after))

    async def close_case(self, id: str) -> str:
        """The conversation that is the bot's again. Raises Conflict where it was closed before."""
        now = self.clock.now()
        return await self._write(lambda s: escalations.close(s, id, now))

    async def spending_by_day(self, *, after: tuple[date, str] | None, limit: int) -> list[spending.Day]:
        return await self._read(lambda s: spending.days(s, after=after, limit=limit))

    async def spending_of(self, conversation: str) -> spending.Taken:
        return await self._read(lambda s: spending.of_conversation(s, conversation))

    async def promise_counts(self, release: str) -> list[Count]:
        return await self._read(lambda s: promises.counts(s, release))

    async def knowledge_revision(self) -> int:
        return await self._read(shelf.revision)

    async def _read(self, ask: Callable[[Session], Awaitable[T]]) -> T:
        async with self.store.read() as session:
            return await ask(session)

    async def _write(self, unit: Callable[[Session], Awaitable[T]]) -> T:
        return await self.store.write(unit)


async def _changeable(session: Session, id: str) -> StoredEntry:
    stored = await catalogue.entry(session, id)
    if stored is None or not stored.active:
        raise NotFound("There is no such answer.")
    _expect_changeable(stored.source)
    return stored


def _expect_changeable(source: str) -> None:
    if source.startswith(FOLDER):
        file = source.removeprefix(FOLDER)
        raise Conflict(
            f"It stands in the bot folder, in {file}.", hint="Change it there.", code="of_the_folder"
        )


def _there(found: T | None, what: str) -> T:
    if found is None:
        raise NotFound(f"There is no such {what}.")
    return found
