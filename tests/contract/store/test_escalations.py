"""Conversations that wait for a person."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import Conflict, NotFound
from bot.store import escalations
from bot.store.db import Database
from bot.store.escalations import OpenCase
from tests.contract.store.samples import accept, answer, commit, context, inbound, later


async def hand_over(db: Database, conversation: str, *, at: float = 0, reason: str = "asked") -> str:
    receipt = await accept(db, inbound(f"m-{at}", conversation=conversation), at=later(at))
    fence = (await context(db, conversation)).fence
    reply = replace(answer(receipt.seq, conversation=conversation, fence=fence), escalate=reason)
    case = (await commit(db, reply, at=later(at))).escalation
    assert case is not None
    return case


async def open_cases(db: Database, *, at: float = 100) -> list[OpenCase]:
    async with db.read() as session:
        return await escalations.list_open(session, later(at))


async def test_open_cases_say_who_waits_why_and_how_long(db: Database) -> None:
    second = await hand_over(db, "c2", at=20, reason="angry")
    first = await hand_over(db, "c1", at=10)
    await accept(db, inbound("more", conversation="c1", text="还在吗？"), at=later(30))
    found = await open_cases(db)
    assert [case.id for case in found] == [first, second]
    assert found[0] == OpenCase(
        id=first,
        conversation="c1",
        seq=1,
        reason="asked",
        lang="en",
        last_text="还在吗？",
        at=later(10),
        age=timedelta(seconds=90),
    )
    assert (found[1].reason, found[1].last_text) == ("angry", "Where is my parcel?")


async def test_one_person_takes_a_case_and_the_conversation_with_it(db: Database) -> None:
    case = await hand_over(db, "c1")
    before = await context(db)
    takers = [db.write(lambda session: escalations.take(session, case, later(1))) for _ in range(5)]
    results = await asyncio.gather(*takers, return_exceptions=True)
    assert results.count("c1") == 1
    assert sum(isinstance(r, Conflict) for r in results) == 4
    after = await context(db)
    assert (after.status, after.fence) == ("human", before.fence + 1)
    assert await open_cases(db) == []


async def test_a_closed_case_gives_the_conversation_back(db: Database) -> None:
    case = await hand_over(db, "c1")
    await db.write(lambda session: escalations.take(session, case, later(1)))
    assert await db.write(lambda session: escalations.close(session, case, later(2))) == "c1"
    assert (await context(db)).status == "bot"
    with pytest.raises(Conflict):
        await db.write(lambda session: escalations.close(session, case, later(3)))
    again = await hand_over(db, "c1", at=50)
    assert [c.id for c in await open_cases(db)] == [again]
    assert again != case


async def test_a_case_may_be_closed_without_being_taken(db: Database) -> None:
    case = await hand_over(db, "c1")
    await db.write(lambda session: escalations.close(session, case, later(1)))
    assert await open_cases(db) == []
    assert (await context(db)).status == "bot"


async def test_a_case_that_is_not_there(db: Database) -> None:
    for step in (escalations.take, escalations.close):
        with pytest.raises(NotFound):
            await db.write(lambda session, step=step: step(session, "none", later(1)))  # type: ignore[misc]
