"""What generators may take in a day, and what they took. When it is used up, stored answers are said as they are.

What is left is read from the database before each generation: other processes spend too. Answers under way when it is
used up are said to their end, so a day may go over by as many answers as are under way at once.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial

from bot.clock import Clock
from bot.errors import StoreError
from bot.observer import Generation
from bot.store import alerts, spending
from bot.store.db import Database
from bot.store.spending import Spent, Taken

log = logging.getLogger(__name__)

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Budget:
    """Of a day (UTC). `cost` in what prices are in. None: no bound."""

    tokens: int | None = None
    cost: Decimal | None = None

    def allows(self, taken: Taken) -> bool:
        """Whether anything is left."""
        return (self.tokens is None or taken.tokens < self.tokens) and (
            self.cost is None or taken.cost < self.cost * MILLION
        )

    @property
    def bounded(self) -> bool:
        return self.tokens is not None or self.cost is not None


NO_BOUNDS = Budget()


class Purse:
    """Keeps count for the bot that is `store`'s."""

    def __init__(self, store: Database, clock: Clock, budget: Budget = NO_BOUNDS) -> None:
        self._store, self._clock, self.budget = store, clock, budget

    async def allows(self) -> bool:
        """Whether a generator may be asked. The first time on a day that it may not, an alert is raised."""
        if not self.budget.bounded:
            return True
        day = self._clock.now().date()
        taken = await self._store.look(lambda session: spending.of_day(session, day))
        if self.budget.allows(taken):
            return True
        await self._alert(day, taken)
        return False

    async def settle(self, bill: Sequence[Generation]) -> Sequence[Spent]:
        """Counts what was asked for one answer, whatever became of it. The sum of it; empty where nobody was asked.

        An answer is not lost for it: where the database fails, that is logged.
        """
        if not bill:
            return ()
        day = self._clock.now().date()
        try:
            await self._store.write(partial(spending.add, day=day, spent=[_spent([one]) for one in bill]))
        except StoreError as error:
            log.warning("what a generator took was not counted: %s", error.message)
        return (_spent(bill),)

    async def _alert(self, day: date, taken: Taken) -> None:
        about = {"tokens": taken.tokens, "cost": str(money(taken.cost))}
        now = self._clock.now()
        raise_it = partial(alerts.open_alert, kind="budget", subject=day.isoformat(), about=about, now=now)
        if await self._store.write(raise_it):
            log.warning("the generators' budget of the day is used up: stored answers are said from now on")


def _spent(bill: Sequence[Generation]) -> Spent:
    """Its model is the one that was asked last: a turn has one answer."""
    return Spent(
        len(bill),
        sum(one.prompt_tokens for one in bill),
        sum(one.completion_tokens for one in bill),
        sum(one.cost for one in bill),
        bill[-1].model,
    )


def money(cost: int) -> Decimal:
    """Of millionths."""
    return Decimal(cost) / MILLION
