"""A reply is committed once, whole, and only while its fence stands."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from bot.errors import Conflict, NotFound
from bot.store import ledger
from bot.store.db import Database
from bot.store.tables import ESCALATION, OUTBOX, TRACE
from connectors.port import Citation, QuickReply, Status
from tests.contract.store.samples import (
    NOW,
    accept,
    answer,
    commit,
    context,
    history,
    inbound,
    later,
    pending,
)


async def rows(db: Database) -> dict[str, int]:
    """How many traces, outbox rows and cases there are."""
    counts = {}
    async with db.read() as session:
        for table in (TRACE, OUTBOX, ESCALATION):
            counts[table.name] = (await session.execute(select(func.count()).select_from(table))).scalar_one()
    return counts


async def hold(db: Database, status: Status) -> int:
    return await db.write(lambda session: ledger.hold(session, "c1", status, NOW))


async def test_message_outbox_trace_and_state_change_together(db: Database) -> None:
    await accept(db, inbound("m1"))
    committed = await commit(db, answer(1), at=later(1))
    assert committed.seqs == (2,)
    assert (committed.status, committed.fence, committed.escalation) == ("bot", 0, None)
    assert list(committed.messages) == (await history(db))[1:]
    assert await rows(db) == {"trace": 1, "outbox": 1, "escalation": 0}
    assert await pending(db) == []
    found = await context(db)
    assert (found.lang, found.last_seq) == ("en", 2)
    assert [(line.role, line.state, line.reply_to) for line in found.messages] == [
        ("customer", "answered", None),
        ("bot", None, 1),
    ]


async def test_everything_a_reply_shows_is_kept(db: Database) -> None:
    await accept(db, inbound("m1"))
    draft = ledger.Draft(
        "见 [1]。",
        quick_replies=(QuickReply("是", "yes"), QuickReply("否", "no")),
        citations=(Citation(1, "退货", "七天内", url="https://example.org/a"), Citation(2, "运费", "免费")),
        rateable=True,
        topic="returns",
    )
    await commit(db, replace(answer(1), messages=(draft,), attempt=2))
    shown = (await history(db))[1]
    assert (shown.quick_replies, shown.citations, shown.rateable) == (
        draft.quick_replies,
        draft.citations,
        True,
    )
    assert (shown.turn, shown.attempt, shown.role, shown.text) == ("turn-1", 2, "bot", "见 [1]。")
    line = (await context(db)).messages[-1]
    assert (line.quick_replies, line.topic) == (draft.quick_replies, "returns")


async def test_the_trace_says_why(db: Database) -> None:
    await accept(db, inbound("m1"))
    await commit(db, answer(1))
    async with db.read() as session:
        found = await ledger.trace(session, "c1", 1)
        assert await ledger.trace(session, "c1", 2) is None
    expected = answer(1).trace
    assert found is not None
    assert expected is not None
    assert found == replace(
        expected, intents=list(expected.intents), hits=list(expected.hits), timings=dict(expected.timings)
    )


async def test_several_messages_take_the_next_numbers_in_order(db: Database) -> None:
    await accept(db, inbound("m1"))
    await accept(db, inbound("m2"))
    drafts = (ledger.Draft("one"), ledger.Draft("two", role="system"), ledger.Draft("three"))
    committed = await commit(db, replace(answer(1), messages=drafts))
    assert committed.seqs == (3, 4, 5)
    assert [m.text for m in (await history(db, after=2))] == ["one", "two", "three"]
    assert (await rows(db))["outbox"] == 3
    assert [p.seq for p in await pending(db)] == [2]


async def test_silence_answers_too(db: Database) -> None:
    await accept(db, inbound("m1"))
    committed = await commit(db, replace(answer(1), messages=()))
    assert committed.seqs == ()
    assert await pending(db) == []
    assert await rows(db) == {"trace": 1, "outbox": 0, "escalation": 0}


async def test_a_message_is_answered_once(db: Database) -> None:
    await accept(db, inbound("m1"))
    first, second = answer(1), replace(answer(1, text="Again."), turn="another")
    results = await asyncio.gather(commit(db, first), commit(db, second), return_exceptions=True)
    won = [r for r in results if isinstance(r, ledger.Committed)]
    lost = [r for r in results if isinstance(r, Conflict)]
    assert (len(won), [c.code for c in lost]) == (1, ["answered"])
    with pytest.raises(Conflict) as caught:
        await commit(db, first)
    assert caught.value.code == "answered"
    assert len(await history(db)) == 2
    assert await rows(db) == {"trace": 1, "outbox": 1, "escalation": 0}


async def test_a_lost_reply_does_not_hold_up_its_neighbours(db: Database) -> None:
    for i in range(10):
        await accept(db, inbound("m", conversation=f"c{i}"))
    await commit(db, answer(1, conversation="c4"))
    results = await asyncio.gather(
        *(commit(db, answer(1, conversation=f"c{i}")) for i in range(10)), return_exceptions=True
    )
    assert [isinstance(r, Conflict) for r in results] == [i == 4 for i in range(10)]
    for i in range(10):
        assert len(await history(db, f"c{i}")) == 2


@pytest.mark.parametrize("status", ["human", "closed"])
async def test_once_somebody_else_holds_it_nothing_of_the_bots_comes_through(
    db: Database, status: Status
) -> None:
    await accept(db, inbound("m1"))
    fence = await hold(db, status)
    assert fence == 1
    for stale in (answer(1, fence=0), answer(1, fence=fence)):
        with pytest.raises(Conflict) as caught:
            await commit(db, stale)
        assert caught.value.code == "fence"
    assert len(await history(db)) == 1


async def test_a_person_answers_what_the_bot_may_not(db: Database) -> None:
    await accept(db, inbound("m1"))
    fence = await hold(db, "human")
    by_person = replace(answer(1, fence=fence), messages=(ledger.Draft("Hello.", role="agent"),), trace=None)
    await commit(db, by_person)
    assert [m.role for m in await history(db)] == ["customer", "agent"]


async def test_the_fence_outlives_a_change_there_and_back(db: Database) -> None:
    await accept(db, inbound("m1"))
    await hold(db, "human")
    assert await hold(db, "bot") == 2
    assert await hold(db, "bot") == 2
    with pytest.raises(Conflict):
        await commit(db, answer(1, fence=0))
    await commit(db, answer(1, fence=2))


async def test_a_message_that_is_not_there_cannot_be_answered(db: Database) -> None:
    await accept(db, inbound("m1"))
    await commit(db, answer(1))
    for reply in (answer(1, conversation="none"), answer(9), answer(2)):
        with pytest.raises(NotFound):
            await commit(db, reply)
    assert (await context(db)).last_seq == 2


async def test_late_is_said_once_and_the_answer_still_follows(db: Database) -> None:
    await accept(db, inbound("m1"))
    notice = replace(answer(1, text="One moment."), late=True, trace=None)
    await commit(db, notice)
    assert await pending(db) == [ledger.Pending("c1", 1, NOW, late=True)]
    with pytest.raises(Conflict) as caught:
        await commit(db, notice)
    assert caught.value.code == "answered"
    await commit(db, answer(1))
    assert await pending(db) == []
    with pytest.raises(Conflict):
        await commit(db, notice)
    assert [m.text for m in await history(db)] == ["Where is my parcel?", "One moment.", "On its way."]


async def test_handing_over_opens_one_case_and_moves_the_fence(db: Database) -> None:
    await accept(db, inbound("m1"))
    await accept(db, inbound("m2"))
    first = await commit(db, replace(answer(1), escalate="asked for a person"))
    assert (first.status, first.fence) == ("waiting", 1)
    assert first.escalation is not None
    second = await commit(db, replace(answer(2, fence=1), escalate="asked again"))
    assert (second.status, second.fence, second.escalation) == ("waiting", 1, None)
    assert (await rows(db))["escalation"] == 1


async def test_the_bot_goes_on_answering_while_nobody_has_come(db: Database) -> None:
    await accept(db, inbound("m1"))
    await commit(db, replace(answer(1), escalate="asked"))
    await accept(db, inbound("m2"))
    assert [p.seq for p in await pending(db)] == [3]
    await commit(db, answer(3, fence=1))
    assert (await context(db)).status == "waiting"


async def test_a_reply_without_a_language_leaves_it(db: Database) -> None:
    await accept(db, inbound("m1"))
    await accept(db, inbound("m2"))
    await commit(db, answer(1))
    await commit(db, replace(answer(2), lang=None))
    assert (await context(db)).lang == "en"
