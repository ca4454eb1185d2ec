"""What is read back: the context of a turn, the history of a screen, what is owed."""

from __future__ import annotations

import pytest

from bot.errors import NotFound
from bot.store import ledger
from bot.store.db import Database
from tests.contract.store.samples import accept, answer, commit, context, history, inbound, later, pending


async def talk(db: Database, *, turns: int, conversation: str = "c1") -> None:
    for i in range(turns):
        receipt = await accept(db, inbound(f"m{i}", conversation=conversation, text=f"q{i}"))
        await commit(db, answer(receipt.seq, conversation=conversation, text=f"a{i}"))


async def test_the_context_is_the_newest_lines_up_to_a_number(db: Database) -> None:
    await talk(db, turns=6)
    found = await context(db, upto=9, limit=4)
    assert [line.text for line in found.messages] == ["a2", "q3", "a3", "q4"]
    assert [line.seq for line in found.messages] == [6, 7, 8, 9]
    assert found.last_seq == 12
    assert [line.seq for line in (await context(db, limit=3)).messages] == [10, 11, 12]


async def test_a_context_without_lines_is_one(db: Database) -> None:
    await accept(db, inbound("m1"))
    found = await context(db, upto=0)
    assert (found.messages, found.last_seq, found.status) == ((), 1, "bot")


async def test_no_conversation_has_no_context(db: Database) -> None:
    with pytest.raises(NotFound):
        await context(db, "none")


async def test_conversations_do_not_see_one_another(db: Database) -> None:
    await talk(db, turns=2, conversation="c1")
    await talk(db, turns=1, conversation="c2")
    assert [m.text for m in await history(db, "c2")] == ["q0", "a0"]
    assert [line.text for line in (await context(db, "c2")).messages] == ["q0", "a0"]


async def test_the_history_goes_on_after_a_number(db: Database) -> None:
    await talk(db, turns=3)
    assert [m.seq for m in await history(db, after=2)] == [3, 4, 5, 6]
    assert await history(db, after=6) == []
    assert await history(db, after=10**30) == []
    assert [m.seq for m in await history(db, after=-(10**30))] == [1, 2, 3, 4, 5, 6]
    async with db.read() as session:
        assert [m.seq for m in await ledger.history_after(session, "c1", 1, limit=2)] == [2, 3]
        assert await ledger.history_after(session, "none", 0) == []


async def test_small_questions_about_a_conversation(db: Database) -> None:
    await talk(db, turns=2)
    async with db.read() as session:
        assert await ledger.last_seq(session, "c1") == 4
        assert await ledger.last_seq(session, "none") == 0
        assert await ledger.status(session, "c1") == "bot"
        assert await ledger.status(session, "none") == "bot"
        assert await ledger.fence(session, "c1") == 0
        assert await ledger.fence(session, "none") == -1


async def test_what_is_owed_comes_oldest_first(db: Database) -> None:
    await accept(db, inbound("m1", conversation="young"), at=later(30))
    await accept(db, inbound("m1", conversation="old"), at=later(10))
    await accept(db, inbound("m1", conversation="middle"), at=later(20))
    await accept(db, inbound("m2", conversation="old"), at=later(40))
    found = [(p.conversation, p.seq) for p in await pending(db)]
    assert found == [("old", 1), ("middle", 1), ("young", 1), ("old", 2)]
    assert [p.conversation for p in await pending(db, limit=2)] == ["old", "middle"]


async def test_what_is_owed_is_read_page_by_page(db: Database) -> None:
    for number in range(7):
        await accept(db, inbound("m1", conversation=f"c{number}"), at=later(number // 3))
    whole = await pending(db)
    assert [p.at for p in whole] == [later(number // 3) for number in range(7)]
    read: list[ledger.Pending] = []
    async with db.read() as session:
        while page := await ledger.unanswered(session, 2, after=read[-1] if read else None):
            read += page
    assert read == whole


async def test_nothing_is_owed_where_a_person_holds_it_or_it_is_closed(db: Database) -> None:
    for conversation in ("bots", "persons", "closed"):
        await accept(db, inbound("m1", conversation=conversation))
    fence = await db.write(lambda session: ledger.hold(session, "persons", "human", later(1)))
    await db.write(lambda session: ledger.hold(session, "closed", "closed", later(1)))
    assert [p.conversation for p in await pending(db)] == ["bots"]
    assert fence == 1
    await db.write(lambda session: ledger.hold(session, "persons", "bot", later(2)))
    assert {p.conversation for p in await pending(db)} == {"bots", "persons"}
