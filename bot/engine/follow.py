"""Knowledge and release as the database has them, and a host that is made to follow."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from bot.clock import Clock
from bot.engine.knowledge import read_knowledge
from bot.inference.bundles import Knowledge
from bot.inference.host import Trouble
from bot.inference.understanding import Live
from bot.store import knowledge as shelf
from bot.store import releases
from bot.store.db import Database
from bot.store.session import Session

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
RETRY_S = 30.0
"""After a failure: a disk that is full is so for a while."""
RETRY_RELEASE_S = 600.0
"""A release that cannot serve seldom mends itself; another promotion is heard at once."""


class Serves(Protocol):
    """`bot.inference.host.Host` as it is told what to serve."""

    trouble: Trouble | None

    def current(self) -> Live: ...

    async def refresh(self, knowledge: Knowledge) -> Live: ...

    async def switch(self, release: str, read: Callable[[], Awaitable[Knowledge]]) -> Live: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """The release that was promoted last. `change` tells its promotion from an earlier one of the same."""

    change: int
    release: str
    order: tuple[str, ...]
    """What is tried at a start, best first."""


async def read_wanted(store: Database) -> Wanted:
    async with store.read() as session:
        return await _wanted(session)


async def _wanted(session: Session) -> Wanted:
    names = await releases.aliases(session)
    return Wanted(await releases.revision(session), names.live, names.order)


class Follower:
    """One look after the other; what is to be done then runs beside them, one of a kind at a time.

    A refresh that runs is let to its end, since knowledge may change all the time. A switch is dropped for a newer one:
    whatever was promoted last is live in the end.
    """

    def __init__(self, store: Database, host: Serves, *, clock: Clock, wanted: Wanted) -> None:
        """`wanted`: what the host was opened with, or would have been if it could serve."""
        self._store, self._host, self._wanted = store, host, wanted
        self._refresh, self._switch = Work(clock, RETRY_S), Work(clock, RETRY_RELEASE_S)
        if host.trouble is not None:
            self._switch.put_off()

    async def run(self, *, every: float = LOOK_EVERY_S, retry: float = RETRY_S) -> None:
        """Until cancelled; what is under way then is broken off, and has ended when this returns."""
        pause = every
        try:
            while True:
                await asyncio.sleep(pause)
                try:
                    await self.look()
                    pause = every
                except Exception:  # whatever it was, what answers must not stay as it is for good
                    log.exception("the database was not looked at: tried again in %.0f s", retry)
                    pause = retry
        finally:
            await self.end()

    async def look(self) -> None:
        """Compare, and begin what is to be done."""
        async with self._store.read() as session:
            revision = await shelf.revision(session)
            if await releases.revision(session) != self._wanted.change:
                self._promoted(await _wanted(session))
        live = self._host.current()
        if revision != live.bundle.revision:
            self._refresh.begin(self._renew)
        if self._wanted.release != live.name:
            self._switch.begin(partial(self._change, self._wanted.release))

    def _promoted(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._switch.drop()
        self._host.trouble = None

    async def settled(self) -> None:
        """Returns when nothing is under way."""
        await asyncio.gather(self._refresh.ended(), self._switch.ended())

    async def end(self) -> None:
        """Break off what is under way."""
        self._refresh.drop()
        self._switch.drop()
        await self.settled()

    async def _renew(self) -> bool:
        try:
            knowledge = await read_knowledge(self._store)
            await self._host.refresh(knowledge)
        except Exception:
            log.exception("knowledge not refreshed: tried again in %.0f s", RETRY_S)
            return False
        log.info("knowledge revision %d is live: %d answers", knowledge.revision, len(knowledge.entries))
        return True

    async def _change(self, release: str) -> bool:
        try:
            await self._host.switch(release, partial(read_knowledge, self._store))
        except Exception:  # the host has said why
            log.info("release %s is tried again in %.0f s", release, RETRY_RELEASE_S)
            return False
        return True


class Work:
    """One kind of work, in a task of its own. After a failure it rests for `rest_s` seconds of `clock`."""

    def __init__(self, clock: Clock, rest_s: float) -> None:
        self._clock, self._rest_s = clock, rest_s
        self._not_before = float("-inf")
        self._task: asyncio.Task[None] | None = None
        self._dropped: set[asyncio.Task[None]] = set()

    def begin(self, do: Callable[[], Awaitable[bool]]) -> None:
        """Unless it runs, or rests. `do` returns False where it failed."""
        if self._task is None and self._clock.monotonic() >= self._not_before:
            self._task = asyncio.create_task(self._run(do))

    def drop(self) -> None:
        """Break off what runs, and let the next one begin at once."""
        self._not_before = float("-inf")
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            self._dropped.add(task)
            task.add_done_callback(self._dropped.discard)

    def put_off(self) -> None:
        self._not_before = self._clock.monotonic() + self._rest_s

    async def ended(self) -> None:
        running = {*self._dropped, *([self._task] if self._task else [])}
        await asyncio.gather(*running, return_exceptions=True)

    async def _run(self, do: Callable[[], Awaitable[bool]]) -> None:
        done = await do()
        if self._task is asyncio.current_task():  # else it was dropped, too late to stop it
            self._task = None
            if not done:
                self.put_off()
