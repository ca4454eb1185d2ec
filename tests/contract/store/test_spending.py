"""What generators took is added up by day and model, and outlives nothing that it should not."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date

from bot.store import spending
from bot.store.db import Database
from bot.store.spending import Day, Spent, Taken
from tests.contract.store.samples import TRACE, accept, answer, commit, inbound

DAY, NEXT = date(2026, 5, 4), date(2026, 5, 5)
LARGE = 3 * 2**31


async def spent(db: Database, day: date, *some: Spent) -> None:
    await db.write(lambda session: spending.add(session, day, some))


async def test_a_days_requests_are_added_up_whoever_counts_at_once(db: Database) -> None:
    one = Spent(1, 90, 10, LARGE, "m1")
    await asyncio.gather(*(spent(db, DAY, one, replace(one, model="m2", cost=0)) for _ in range(5)))
    await spent(db, NEXT, one)
    async with db.read() as session:
        assert await spending.of_day(session, DAY) == Taken(10, 900, 100, 5 * LARGE)
        assert await spending.of_day(session, date(2026, 5, 6)) == Taken()
        assert await spending.days(session, limit=9) == [
            Day(NEXT, "m1", Taken(1, 90, 10, LARGE)),
            Day(DAY, "m1", Taken(5, 450, 50, 5 * LARGE)),
            Day(DAY, "m2", Taken(5, 450, 50, 0)),
        ]


async def test_pages_of_days_leave_none_out(db: Database) -> None:
    for day in (DAY, NEXT):
        await spent(db, day, *(Spent(1, 1, 1, 1, model) for model in "abc"))
    seen: list[tuple[date, str]] = []
    while True:
        async with db.read() as session:
            found = await spending.days(session, after=seen[-1] if seen else None, limit=2)
        if not found:
            break
        seen += [(one.day, one.model) for one in found]
    assert seen == [(day, model) for day in (NEXT, DAY) for model in "abc"]


async def test_a_conversation_took_what_its_answers_took(db: Database) -> None:
    dear = replace(TRACE, prompt_tokens=90, completion_tokens=10, cost=LARGE)
    for n, trace in enumerate((dear, TRACE, dear)):
        await accept(db, inbound(f"m{n}"))
        await commit(db, replace(answer(2 * n + 1), trace=trace))
    async with db.read() as session:
        assert await spending.of_conversation(session, "c1") == Taken(2, 180, 20, 2 * LARGE)
        assert await spending.of_conversation(session, "c2") == Taken()
