"""Small messages and replies, and the few steps most tests begin with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.store import ledger
from bot.store.db import Database
from connectors.port import Inbound, Message

NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)

SEEDED = {"knowledge_revision", "release_revision"}
"""Keys that a new database holds in `meta`."""


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def inbound(
    external_id: str, *, conversation: str = "c1", text: str = "Where is my parcel?", channel: str = "web"
) -> Inbound:
    return Inbound(channel, f"{conversation}-scope", external_id, conversation, text)


def answer(seq: int, *, conversation: str = "c1", fence: int = 0, text: str = "On its way.") -> ledger.Reply:
    draft = ledger.Draft(text, rateable=True)
    return ledger.Reply(conversation, seq, fence, f"turn-{seq}", (draft,), lang="en", trace=TRACE)


TRACE = ledger.TraceRecord(
    release="r1",
    bundle="b1",
    decision="answer",
    reason="intent and retrieval agree",
    lang="en",
    confidence=0.93,
    intents=({"name": "track_order", "probability": 0.9},),
    hits=({"id": "e1", "key": "track", "dense": 0.8},),
    timings={"encode": 1.5},
    bound=0.64,
    entities=[{"kind": "amount", "start": 3, "end": 8, "source": "amount"}],
)


async def accept(db: Database, message: Inbound, *, at: datetime = NOW) -> ledger.Accepted:
    return await db.write(lambda session: ledger.accept(session, message, at))


async def commit(db: Database, reply: ledger.Reply, *, at: datetime = NOW) -> ledger.Committed:
    return await db.write(lambda session: ledger.commit_reply(session, reply, at))


async def history(db: Database, conversation: str = "c1", *, after: int = 0) -> list[Message]:
    async with db.read() as session:
        return await ledger.history_after(session, conversation, after)


async def pending(db: Database, *, limit: int = 100) -> list[ledger.Pending]:
    async with db.read() as session:
        return await ledger.unanswered(session, limit)


async def context(
    db: Database, conversation: str = "c1", *, upto: int = 1_000, limit: int = 8
) -> ledger.Context:
    async with db.read() as session:
        return await ledger.context(session, conversation, upto, limit=limit)
