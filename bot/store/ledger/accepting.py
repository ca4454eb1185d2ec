"""A customer's message comes in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Executable, bindparam, case, func, insert, select

from bot.errors import StoreError
from bot.store.columns import new_id
from bot.store.ledger.records import Accepted
from bot.store.portable import Upsert
from bot.store.prepared import keep
from bot.store.session import Session
from bot.store.tables import CONVERSATION, MESSAGE
from connectors.port import Inbound

_FIRST = keep(
    select(MESSAGE.c.conversation_id, MESSAGE.c.seq, MESSAGE.c.created_at).where(
        MESSAGE.c.channel == bindparam("p_channel"),
        MESSAGE.c.scope == bindparam("p_scope"),
        MESSAGE.c.external_id == bindparam("p_external_id"),
    )
)
_STORE = keep(insert(MESSAGE))


def _next_seq(insertion: Any) -> Executable:
    """Takes the number, and on PostgreSQL the row's lock, so that numbers come in the order of commits."""
    old, new = CONVERSATION.c, insertion.excluded
    was_closed = old.status == "closed"
    statement: Executable = insertion.on_conflict_do_update(
        index_elements=["id"],
        set_={
            "last_seq": old.last_seq + 1,
            "updated_at": new.updated_at,
            "locale": func.coalesce(new.locale, old.locale),
            "status": case((was_closed, "bot"), else_=old.status),
            "fence": old.fence + case((was_closed, 1), else_=0),
        },
        where=old.channel == new.channel,
    ).returning(old.last_seq)
    return statement


_NEXT_SEQ = Upsert(CONVERSATION, _next_seq)


async def accept(session: Session, new: Inbound, now: datetime) -> Accepted:
    """Store the message under the conversation's next number; the conversation begins with its first message.

    The same (channel, scope, external_id) again returns the first receipt. A closed conversation is the bot's
    again. Raises StoreError `unknown_conversation` where the conversation belongs to another channel.
    """
    first = await _first(session, new)
    if first is not None:
        return first
    taken = await session.execute(_NEXT_SEQ.on(session), _conversation(new, now))
    seq = taken.scalar_one_or_none()
    if seq is None:
        raise StoreError(
            "This channel has no such conversation.", hint="Begin a new one.", code="unknown_conversation"
        )
    await session.execute(_STORE, _message(new, seq, now))
    return Accepted(new.conversation, seq, now)


async def _first(session: Session, new: Inbound) -> Accepted | None:
    identity = {"p_channel": new.channel, "p_scope": new.scope, "p_external_id": new.external_id}
    row = (await session.execute(_FIRST, identity)).one_or_none()
    return None if row is None else Accepted(row.conversation_id, row.seq, row.created_at, duplicate=True)


def _conversation(new: Inbound, now: datetime) -> dict[str, Any]:
    return {
        "id": new.conversation,
        "channel": new.channel,
        "scope": new.scope,
        "lang": None,
        "locale": new.locale,
        "status": "bot",
        "fence": 0,
        "last_seq": 1,
        "delivered_seq": 0,
        "created_at": now,
        "updated_at": now,
    }


def _message(new: Inbound, seq: int, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "conversation_id": new.conversation,
        "seq": seq,
        "role": "customer",
        "text": new.text,
        "choice": new.choice,
        "channel": new.channel,
        "scope": new.scope,
        "external_id": new.external_id,
        "payload": {},
        "attempt": 0,
        "state": "accepted",
        "created_at": now,
    }
