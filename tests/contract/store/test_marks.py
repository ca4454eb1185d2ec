"""Shown, rated, held."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from bot.errors import NotFound
from bot.store import ledger
from bot.store.db import Database
from bot.store.tables import CONVERSATION, OUTBOX
from connectors.port import Vote
from tests.contract.store.samples import NOW, accept, answer, commit, history, inbound, later


@pytest.fixture
async def talked(db: Database) -> Database:
    """c1: question 1, answer 2, question 3, answer 4."""
    for i, seq in enumerate((1, 3)):
        await accept(db, inbound(f"m{i}"))
        await commit(db, answer(seq))
    return db


async def shown(db: Database, seq: int) -> bool:
    return await db.write(lambda session: ledger.delivered(session, "c1", seq, later(5)))


async def rate(db: Database, seq: int, vote: Vote | None) -> None:
    await db.write(lambda session: ledger.vote(session, "c1", seq, vote, later(6)))


async def states(db: Database) -> tuple[int, list[str]]:
    async with db.read() as session:
        reached = (await session.execute(select(CONVERSATION.c.delivered_seq))).scalar_one()
        outbox = (await session.execute(select(OUTBOX.c.state).order_by(OUTBOX.c.seq))).scalars()
        return reached, list(outbox)


async def test_delivery_goes_forward_only(talked: Database) -> None:
    assert await states(talked) == (0, ["pending", "pending"])
    assert await shown(talked, 2)
    assert await states(talked) == (2, ["delivered", "pending"])
    assert not await shown(talked, 1)
    assert not await shown(talked, 2)
    assert await states(talked) == (2, ["delivered", "pending"])
    assert await shown(talked, 4)
    assert await states(talked) == (4, ["delivered", "delivered"])


async def test_a_screen_cannot_show_what_is_not_there(talked: Database) -> None:
    assert await shown(talked, 10**30)
    assert await states(talked) == (4, ["delivered", "delivered"])
    await accept(talked, inbound("m9"))
    await commit(talked, answer(5))
    assert await states(talked) == (4, ["delivered", "delivered", "pending"])


async def test_delivery_for_nobody_changes_nothing(talked: Database) -> None:
    assert not await talked.write(lambda session: ledger.delivered(session, "none", 3, NOW))
    assert not await shown(talked, -(10**30))
    assert await states(talked) == (0, ["pending", "pending"])


async def test_votes_are_stored_changed_and_taken_back(talked: Database) -> None:
    await rate(talked, 2, "up")
    assert [m.feedback for m in await history(talked)] == [None, "up", None, None]
    await rate(talked, 2, "down")
    await rate(talked, 4, "up")
    assert [m.feedback for m in await history(talked)] == [None, "down", None, "up"]
    await rate(talked, 2, None)
    await rate(talked, 2, None)
    assert [m.feedback for m in await history(talked)] == [None, None, None, "up"]


async def test_many_votes_at_once_leave_one(talked: Database) -> None:
    votes: list[Vote | None] = ["up", "down"] * 8
    await asyncio.gather(*(rate(talked, 2, vote) for vote in votes))
    assert (await history(talked))[1].feedback in ("up", "down")


@pytest.mark.parametrize("seq", [0, 1, 9, 10**30, -(10**30)])
async def test_only_answers_can_be_rated(talked: Database, seq: int) -> None:
    for vote in ("up", None):
        with pytest.raises(NotFound):
            await rate(talked, seq, vote)


async def test_a_greeting_cannot_be_rated(db: Database) -> None:
    await accept(db, inbound("m1"))
    greeting = ledger.Reply("c1", 1, 0, "t", (ledger.Draft("Hello!"),))
    await commit(db, greeting)
    with pytest.raises(NotFound):
        await rate(db, 2, "up")


async def test_nobody_holds_what_is_not_there(db: Database) -> None:
    with pytest.raises(NotFound):
        await db.write(lambda session: ledger.hold(session, "none", "human", NOW))
