"""Lists, page by page, and the knowledge entry by entry: on each database alike."""

from __future__ import annotations

from datetime import datetime

import pytest

from bot.store import catalogue, counts, escalations, ledger
from bot.store import knowledge as shelf
from bot.store.catalogue import Wanted
from bot.store.db import Database
from bot.store.knowledge import KnowledgeRow
from tests.contract.store.samples import NOW, accept, answer, commit, inbound, later


async def listed(
    db: Database, *, limit: int = 10, after: ledger.Place | None = None, **wanted: str
) -> list[str]:
    async with db.read() as session:
        found = await ledger.conversations(session, after=after, limit=limit, **wanted)
    return [one.id for one in found]


async def test_conversations_come_newest_first_and_each_once(db: Database) -> None:
    moments: dict[str, datetime] = {f"c{n}": later(n // 2) for n in range(6)}  # two begin at the same moment
    for id, at in moments.items():
        await accept(db, inbound("m1", conversation=id), at=at)
    everything = await listed(db)
    assert everything == sorted(moments, key=lambda id: (moments[id], id), reverse=True)
    seen: list[str] = []
    while page := await listed(db, limit=2, after=(moments[seen[-1]], seen[-1]) if seen else None):
        seen += page
    assert seen == everything


async def test_conversations_are_filtered(db: Database) -> None:
    await accept(db, inbound("m1", conversation="c1"))
    await accept(db, inbound("m1", conversation="c2", channel="other"))
    await db.write(lambda session: ledger.hold(session, "c1", "human", NOW))
    assert await listed(db, channel="other") == ["c2"]
    assert await listed(db, status="human") == ["c1"]
    assert await listed(db, status="human", channel="other") == []


async def test_a_conversation_begins_ahead_of_its_first_message(db: Database) -> None:
    begun = await db.write(lambda s: ledger.begin(s, "c1", channel="api", locale="en", now=NOW))
    async with db.read() as session:
        assert await ledger.conversation(session, "c1") == begun
        assert await ledger.conversation(session, "c2") is None
    first = await accept(db, inbound("m1", channel="api"))
    assert first.seq == 1
    assert (await commit(db, answer(1))).seqs == (2,)


async def test_replies_are_those_to_one_message(db: Database) -> None:
    for number in (1, 2):
        await accept(db, inbound(f"m{number}"))
    await commit(db, answer(1, text="First."))
    async with db.read() as session:
        first, second = await ledger.replies(session, "c1", 1), await ledger.replies(session, "c1", 2)
        assert await ledger.replies(session, "c1", 9) == ledger.Replies(True, ())
        [traced] = await ledger.traces(session, "c1", 0, limit=10)
        assert await ledger.traces(session, "c1", 1, limit=10) == []
        assert traced.trace == await ledger.trace(session, "c1", 1)
    assert (first.answered, [m.text for m in first.messages]) == (True, ["First."])
    assert (second.answered, second.messages) == (False, ())


async def test_open_cases_come_in_pages(db: Database) -> None:
    for n in range(3):
        await accept(db, inbound("m1", conversation=f"c{n}"))
        reply = answer(1, conversation=f"c{n}")
        await commit(
            db, ledger.Reply(f"c{n}", 1, 0, reply.turn, reply.messages, escalate="asked"), at=later(n)
        )
    async with db.read() as session:
        everything = await escalations.list_open(session, NOW)
        first, *_ = await escalations.list_open(session, NOW, limit=1)
        rest = await escalations.list_open(session, NOW, after=(first.at, first.id))
        assert [first, *rest] == everything
        assert (await counts.counts(session)).escalations == 3


async def test_counts_say_what_is_owed(db: Database) -> None:
    for number in (1, 2):
        await accept(db, inbound(f"m{number}"), at=later(number))
    await commit(db, answer(1))
    async with db.read() as session:
        now = await counts.counts(session)
    assert (now.unanswered, now.outbox, now.oldest, now.revision) == (1, 1, later(2), 0)


def row(key: str, *, answer: str = "That.", intent: str | None = None) -> KnowledgeRow:
    return KnowledgeRow(key, "en", f"What is {key}?", answer, intent=intent)


async def put(db: Database, entry: KnowledgeRow, source: str = "api") -> str:
    return await db.write(lambda session: shelf.put(session, source, entry, NOW))


async def revision(db: Database) -> int:
    async with db.read() as session:
        return await shelf.revision(session)


async def test_an_entry_put_is_what_a_sync_of_it_would_be(db: Database) -> None:
    id = await put(db, row("a"))
    assert await revision(db) == 1
    assert await put(db, row("a")) == id
    assert await revision(db) == 1
    assert await put(db, row("a", answer="This.")) == id
    assert await revision(db) == 2
    report = await db.write(lambda s: shelf.sync(s, "api", [row("a", answer="This.")], NOW, prune=True))
    assert (report.unchanged, report.revision) == (1, 2)


async def test_an_entry_removed_is_no_answer_and_comes_back_under_its_id(db: Database) -> None:
    id = await put(db, row("a"))
    assert await db.write(lambda session: shelf.remove(session, id, NOW))
    assert not await db.write(lambda session: shelf.remove(session, id, NOW))
    assert await revision(db) == 2
    async with db.read() as session:
        assert await shelf.active(session) == []
        stored = await catalogue.entry(session, id)
    assert stored is not None
    assert not stored.active
    assert await put(db, row("a")) == id


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        (Wanted(), "abc"),
        (Wanted(source="file"), "c"),
        (Wanted(key="b"), "b"),
        (Wanted(intent="fees"), "b"),
        (Wanted(text="WHAT IS A"), "a"),
        (Wanted(text="100%"), "b"),
        (Wanted(text="_"), ""),
        (Wanted(text="' OR 1=1 --"), ""),
        (Wanted(lang="zh"), ""),
        (Wanted(active=False), ""),
    ],
)
async def test_entries_are_filtered(db: Database, wanted: Wanted, keys: str) -> None:
    await put(db, row("a"))
    await put(db, row("b", answer="It is 100% free.", intent="fees"))
    await put(db, row("c"), source="file")
    async with db.read() as session:
        found = await catalogue.entries(session, wanted, limit=10)
        again = [e for e in found for e in await catalogue.entries(session, wanted, after=e.id, limit=1)]
        assert [e.source for e in await catalogue.namesakes(session, "c", "en")] == ["file"]
    assert sorted(e.key for e in found) == list(keys)
    assert again == found[1:]
