"""Ids and names come from strangers: whatever they look like, they name one thing and do nothing."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import func, select

from bot.errors import NotFound
from bot.store import escalations, knowledge, ledger
from bot.store.columns import Row
from bot.store.db import Database
from bot.store.entries import KnowledgeRow
from connectors.port import Inbound
from tests.contract.store.samples import NOW, accept, answer, commit, history

STRANGE = (
    "'; DROP TABLE message; --",
    '" OR 1=1 --',
    "x') ON CONFLICT DO NOTHING; DELETE FROM conversation; --",
    "../../etc/passwd",
    "..\\..\\kefu.db",
    "/dev/null",
    "%",
    "_",
    ":p_conversation",
    "$1",
    "?",
    "{0}%(id)s",
    "NULL",
    "line\nfeed\ttab",
    " blank ",
    "𝐰ide 汉字 🙂 \u202e",
    "",
)


async def counts(db: Database) -> dict[str, int]:
    async with db.read() as session:
        return {
            table.name: (await session.execute(select(func.count()).select_from(table))).scalar_one()
            for table in Row.metadata.sorted_tables
        }


async def test_a_strange_id_is_an_id_and_nothing_else(db: Database) -> None:
    await accept(db, Inbound("web", "s", "m1", "bystander", "Hello?"))
    for name in STRANGE:
        await speak(db, name)
    assert [m.text for m in await history(db, "bystander")] == ["Hello?"]


async def speak(db: Database, name: str) -> None:
    before = await counts(db)
    message = Inbound(name, name, name, name, name, choice=name, locale=name)
    first = await accept(db, message)
    assert (await accept(db, message)).duplicate
    assert (first.conversation, first.seq) == (name, 1)
    reply = await commit(db, answer(1, conversation=name, text=name))
    assert [m.text for m in await history(db, name)] == [name, name]
    assert reply.messages[0].seq == 2
    after = await counts(db)
    grown = {table: after[table] - before[table] for table in after if after[table] != before[table]}
    assert grown == {"conversation": 1, "message": 2, "outbox": 1, "trace": 1}, name


async def test_a_strange_source_is_a_source_and_nothing_else(db: Database) -> None:
    other = KnowledgeRow("k", "en", "q", "a")
    await db.write(lambda s: knowledge.sync(s, "faq.csv", [other], NOW, prune=True))
    for name in STRANGE:
        await come_and_go(db, name)


async def come_and_go(db: Database, name: str) -> None:
    mine = KnowledgeRow(name, name, name, name, title=name, url=name, alternatives=(name,))
    await db.write(lambda s: knowledge.sync(s, name, [mine], NOW, prune=True))
    async with db.read() as session:
        assert {entry.question for entry in await knowledge.active(session)} == {"q", name}
    await db.write(lambda s: knowledge.sync(s, name, [], NOW, prune=True))
    async with db.read() as session:
        assert await knowledge.sources(session) == ["faq.csv"]


async def test_what_nobody_has_is_not_found(db: Database) -> None:
    await accept(db, Inbound("web", "s", "m1", "bystander", "Hello?"))
    await commit(db, answer(1, conversation="bystander"))
    before = await counts(db)
    for name in STRANGE:
        with pytest.raises(NotFound):
            await db.write(partial(escalations.close, case=name, now=NOW))
        with pytest.raises(NotFound):
            await db.write(partial(ledger.hold, conversation=name, status="closed", now=NOW))
        assert await history(db, name) == []
    assert await counts(db) == before
