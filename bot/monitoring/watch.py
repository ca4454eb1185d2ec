"""How the bot is right now: the page of metrics, and what it lacks to answer. Neither holds the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bot.domain.kept import slipped
from bot.domain.policy import NEVER
from bot.engine.desk import Desk
from bot.engine.lanes import Lanes
from bot.engine.purse import money
from bot.errors import KefuError
from bot.inference.host import Host
from bot.monitoring.metrics import Metrics
from bot.store import promises, spending
from bot.store.counts import counts
from bot.store.knowledge import revision

PATIENCE_S = 2.0
"""How long the database may take to answer."""


@runtime_checkable
class Connected(Protocol):
    """A channel that knows how many connections are open."""

    @property
    def instance(self) -> str: ...

    @property
    def open_sockets(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Watch:
    desk: Desk
    host: Host
    lanes: Lanes
    metrics: Metrics
    channels: Sequence[object]

    async def missing(self) -> dict[str, str]:
        """What is needed to answer and not there, each with the reason; empty: ready."""
        found: dict[str, str] = {}
        try:
            self.host.current()
        except KefuError as error:
            found["bundle"] = error.message
        try:
            async with asyncio.timeout(PATIENCE_S), self.desk.store.read() as session:
                await revision(session)
        except KefuError as error:
            found["database"] = error.message
        except TimeoutError:
            found["database"] = "The database does not answer in time."
        return found

    def degraded(self) -> dict[str, str]:
        """What is otherwise than it was asked to be, though the bot answers. Anybody reads it: reasons, which may name
        files, stand in the log."""
        trouble = self.host.trouble
        if trouble is None:
            return {}
        return {
            "release": f"{trouble.release} cannot serve, {self.host.current().name} does. The log says why."
        }

    async def page(self) -> bytes:
        gauges = {"lanes_busy": self.lanes.busy, "release_degraded": float(self.host.trouble is not None)}
        sockets = {c.instance: c.open_sockets for c in self.channels if isinstance(c, Connected)}
        self.metrics.set({**gauges, **self._live(), **await self._owed()}, sockets=sockets)
        await self._promised()
        return await asyncio.to_thread(self.metrics.page)

    def _live(self) -> Mapping[str, float]:
        try:
            live = self.host.current()
        except KefuError:
            return {}
        self.metrics.answers_with(
            release=live.name, heads=live.heads.name, encoder=live.bundle.encoder_fingerprint
        )
        bundle = live.bundle
        return {
            "encoder_queue": self.host.door.waiting,
            "knowledge_revision_live": bundle.revision,
            "answers": len(bundle.entries),
        }

    async def _promised(self) -> None:
        """Of each language that the bot speaks, where it promises anything and the database answers."""
        try:
            live = self.host.current()
            if (promised := live.promised) is None:
                return
            async with asyncio.timeout(PATIENCE_S), self.desk.store.read() as session:
                counted = {one.lang: one for one in await promises.counts(session, live.release)}
        except (KefuError, TimeoutError):
            return
        for lang in self.desk.voice.languages:
            one, promise = counted.get(lang, promises.Count(lang, 0, 0)), promised.promise
            broken = slipped(one.wrong, one.answered, promised=promise.wrong, sure=promise.sure)
            bound = live.bound(lang)
            counts = {"answered": one.answered, "wrong": one.wrong, "slipped": float(broken)}
            numbers = counts | {"missing": promised.bound(lang).missing}
            self.metrics.promise(lang, numbers | {"bound": NEVER if bound is None else bound})

    async def _owed(self) -> Mapping[str, float]:
        """Where the database does not answer, the page still comes and says so."""
        try:
            return await self._counted() | {"database_up": 1}
        except (KefuError, TimeoutError):
            return {"database_up": 0}

    async def _counted(self) -> dict[str, float]:
        async with asyncio.timeout(PATIENCE_S), self.desk.store.read() as session:
            now = await counts(session)
            taken = await spending.of_day(session, self.desk.clock.now().date())
        waited = (self.desk.clock.now() - now.oldest).total_seconds() if now.oldest else 0.0
        return {
            "unanswered": now.unanswered,
            "unanswered_oldest_seconds": max(waited, 0.0),
            "outbox_pending": now.outbox,
            "escalations_open": now.escalations,
            "generator_tokens_today": taken.tokens,
            "generator_cost_today": float(money(taken.cost)),
            "generator_budget_used_up": float(not self.desk.purse.budget.allows(taken)),
            "knowledge_revision": now.revision,
        }
