"""Conversations as a list, and what one of them holds: for people and machines that read along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Integer, Row, Select, String, bindparam, insert, select, tuple_

from bot.store.columns import UtcDateTime, bounded
from bot.store.ledger.reading import MESSAGE_COLUMNS, TRACE_COLUMNS, WITH_VOTES, as_message
from bot.store.ledger.records import TraceRecord
from bot.store.session import Session
from bot.store.tables import CONVERSATION, MESSAGE, TRACE
from connectors.port import Message, Status

_c, _m, _t = CONVERSATION.c, MESSAGE.c, TRACE.c
_ID: BindParameter[str] = bindparam("p_conversation")
_SEQ: BindParameter[int] = bindparam("p_seq")
_LIMIT: BindParameter[int] = bindparam("p_limit", type_=Integer())


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation without its words. `last_seq`: number of the newest message, 0 where there is none."""

    id: str
    channel: str
    status: Status
    lang: str | None
    locale: str | None
    last_seq: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Traced:
    """Why the customer's message `seq` was answered as it was."""

    seq: int
    turn: str
    at: datetime
    trace: TraceRecord


@dataclass(frozen=True, slots=True)
class Replies:
    """What was said to one message so far. `answered`: nothing more of the bot's will follow."""

    answered: bool
    messages: tuple[Message, ...]


Place = tuple[datetime, str]
"""(created_at, id): where a page of the list ended."""

_LIST = (
    select(*(_c[name] for name in Summary.__dataclass_fields__))
    .order_by(_c.created_at.desc(), _c.id.desc())
    .limit(_LIMIT)
)
_AFTER = tuple_(bindparam("p_at", type_=UtcDateTime()), bindparam("p_after", type_=String()))
_BEFORE = tuple_(_c.created_at, _c.id) < _AFTER
_FILTERS = {
    "channel": _c.channel == bindparam("p_channel"),
    "status": _c.status == bindparam("p_status"),
}
_ONE = select(*(_c[name] for name in Summary.__dataclass_fields__)).where(_c.id == _ID)
_BEGIN = insert(CONVERSATION)
_TRACES = (
    select(_t.seq, _t.turn, _t.created_at, *TRACE_COLUMNS)
    .where(_t.conversation_id == _ID, _t.seq > _SEQ)
    .order_by(_t.seq, _t.created_at)
    .limit(_LIMIT)
)
_STATE = select(_m.state).where(_m.conversation_id == _ID, _m.seq == _SEQ, _m.role == "customer")
_REPLIES = (
    select(*MESSAGE_COLUMNS)
    .select_from(WITH_VOTES)
    .where(_m.conversation_id == _ID, _m.seq > _SEQ, _m.reply_to == _SEQ)
    .order_by(_m.seq)
    .limit(_LIMIT)
)
_MOST_REPLIES = 20


async def conversations(
    session: Session, *, after: Place | None = None, limit: int, **wanted: str | None
) -> list[Summary]:
    """The newest first, from behind `after` on. `wanted`: `channel`, `status`; None is any."""
    statement: Select[Any] = _LIST
    values: dict[str, Any] = {"p_limit": limit}
    for name, value in wanted.items():
        if value is not None:
            statement, values = statement.where(_FILTERS[name]), values | {f"p_{name}": value}
    if after is not None:
        statement, values = statement.where(_BEFORE), values | {"p_at": after[0], "p_after": after[1]}
    return [_summary(row) for row in await session.execute(statement, values)]


async def conversation(session: Session, id: str) -> Summary | None:
    row = (await session.execute(_ONE, {"p_conversation": id})).one_or_none()
    return None if row is None else _summary(row)


async def begin(session: Session, id: str, *, channel: str, locale: str | None, now: datetime) -> Summary:
    """A conversation ahead of its first message; its scope, within which external ids are unique, is its own."""
    state = {"status": "bot", "fence": 0, "last_seq": 0, "delivered_seq": 0}
    times = {"created_at": now, "updated_at": now}
    names = {"id": id, "channel": channel, "scope": id, "lang": None, "locale": locale}
    await session.execute(_BEGIN, names | state | times)
    return Summary(id, channel, "bot", None, locale, 0, now, now)


async def traces(session: Session, conversation: str, seq: int, *, limit: int) -> list[Traced]:
    """Of the customer's messages with a number above `seq`, oldest first."""
    window = {"p_conversation": conversation, "p_seq": bounded(seq), "p_limit": limit}
    return [_traced(row) for row in await session.execute(_TRACES, window)]


async def replies(session: Session, conversation: str, seq: int) -> Replies:
    """Unknown message: no replies, and none to come."""
    one = {"p_conversation": conversation, "p_seq": bounded(seq)}
    state = (await session.execute(_STATE, one)).scalar_one_or_none()
    rows = await session.execute(_REPLIES, one | {"p_limit": _MOST_REPLIES})
    return Replies(state not in ("accepted", "late"), tuple(as_message(row) for row in rows))


def _summary(row: Row[Any]) -> Summary:
    return Summary(**row._mapping)


def _traced(row: Row[Any]) -> Traced:
    kept: Sequence[str] = tuple(TraceRecord.__dataclass_fields__)
    trace = TraceRecord(**{name: row._mapping[name] for name in kept})
    return Traced(row.seq, row.turn, row.created_at, trace)
