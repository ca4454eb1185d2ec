"""Reads of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BindParameter, Integer, String, and_, bindparam, select, text, true, tuple_

from bot.errors import NotFound
from bot.store.columns import UtcDateTime, bounded
from bot.store.ledger.records import Context, Line, Pending, TraceRecord
from bot.store.prepared import keep
from bot.store.session import Session
from bot.store.tables import CONVERSATION, FEEDBACK, MESSAGE, TRACE, WAITING_FOR_REPLY
from connectors.port import Citation, Message, QuickReply, Status

_DAWN = datetime(1970, 1, 1, tzinfo=UTC)
_c, _m = CONVERSATION.c, MESSAGE.c
_ID: BindParameter[str] = bindparam("p_conversation")

_LINES = (
    select(_m.seq, _m.role, _m.text, _m.created_at, _m.choice, _m.state, _m.reply_to, _m.payload)
    .where(_m.conversation_id == _ID, _m.seq <= bindparam("p_seq"))
    .order_by(_m.seq.desc())
    .limit(bindparam("p_limit", type_=Integer()))
    .subquery("line")
)
# One statement: on SQLite each is a trip to another thread.
_CONTEXT = keep(
    select(
        *(_c.id, _c.channel, _c.scope, _c.status, _c.fence, _c.lang, _c.locale, _c.last_seq),
        *(column.label(f"line_{column.name}") for column in _LINES.c),
    )
    .select_from(CONVERSATION.outerjoin(_LINES, true()))
    .where(_c.id == _ID)
    .order_by(_LINES.c.seq)
)
MESSAGE_COLUMNS = (
    *(_m.seq, _m.role, _m.text, _m.created_at, _m.external_id, _m.turn, _m.attempt, _m.reply_to, _m.payload),
    FEEDBACK.c.vote,
)
"""What `as_message` reads, of `WITH_VOTES`."""
WITH_VOTES = MESSAGE.outerjoin(
    FEEDBACK, and_(FEEDBACK.c.conversation_id == _m.conversation_id, FEEDBACK.c.seq == _m.seq)
)
_HISTORY = (
    select(*MESSAGE_COLUMNS)
    .select_from(WITH_VOTES)
    .where(_m.conversation_id == _ID, _m.seq > bindparam("p_seq"))
    .order_by(_m.seq)
    .limit(bindparam("p_limit", type_=Integer()))
)
_UNANSWERED = (
    select(_m.conversation_id, _m.seq, _m.state, _m.created_at)
    .join(CONVERSATION, _c.id == _m.conversation_id)
    .where(
        text(f"message.{WAITING_FOR_REPLY}"),
        _c.status.in_(["bot", "waiting"]),
        tuple_(_m.created_at, _m.conversation_id, _m.seq)
        > tuple_(
            bindparam("p_at", type_=UtcDateTime()),
            bindparam("p_conversation", type_=String()),
            bindparam("p_seq", type_=Integer()),
        ),
    )
    .order_by(_m.created_at, _m.conversation_id, _m.seq)
    .limit(bindparam("p_limit", type_=Integer()))
)
_LAST_SEQ = select(_c.last_seq).where(_c.id == _ID)
_STATUS = select(_c.status).where(_c.id == _ID)
_CHANGED = select(_c.id, _c.status).where(
    _c.id.in_(bindparam("p_ids", expanding=True)), _c.updated_at >= bindparam("p_since", type_=UtcDateTime())
)
_FENCE = keep(select(_c.fence).where(_c.id == _ID))
_t = TRACE.c
TRACE_COLUMNS = (
    *(_t.release, _t.bundle, _t.decision, _t.reason, _t.lang, _t.confidence),
    *(_t.intents, _t.hits, _t.timings, _t.contextual, _t.bound, _t.entities),
    *(_t.prompt_tokens, _t.completion_tokens, _t.cost),
)
_TRACE = (
    select(*TRACE_COLUMNS)
    .where(_t.conversation_id == _ID, _t.seq == bindparam("p_seq"))
    .order_by(_t.created_at.desc())
    .limit(1)
)


async def context(session: Session, conversation: str, upto_seq: int, *, limit: int = 8) -> Context:
    """The conversation and its `limit` newest lines up to `upto_seq`. Raises NotFound."""
    rows = (await session.execute(_CONTEXT, _window(conversation, upto_seq, limit))).all()
    if not rows:
        raise NotFound("There is no such conversation.")
    row, messages = rows[0], tuple(_line(row) for row in rows if row.line_seq is not None)
    return Context(
        row.id, row.channel, row.scope, row.status, row.fence, row.lang, row.locale, row.last_seq, messages
    )


async def history_after(session: Session, conversation: str, seq: int, *, limit: int = 200) -> list[Message]:
    """Messages with a number above `seq`, oldest first, with the customer's votes. Unknown: empty."""
    rows = await session.execute(_HISTORY, _window(conversation, seq, limit))
    return [as_message(row) for row in rows]


async def unanswered(session: Session, limit: int, *, after: Pending | None = None) -> list[Pending]:
    """What the bot owes an answer, oldest first; not of conversations held by a person, or closed.

    `after`: the last one of the page before.
    """
    last = after or Pending("", 0, _DAWN)
    window = {"p_at": last.at, "p_conversation": last.conversation, "p_seq": last.seq, "p_limit": limit}
    rows = await session.execute(_UNANSWERED, window)
    return [Pending(row.conversation_id, row.seq, row.created_at, row.state == "late") for row in rows]


async def last_seq(session: Session, conversation: str) -> int:
    """Number of the newest message; 0 where there is none."""
    found = await session.execute(_LAST_SEQ, {"p_conversation": conversation})
    return found.scalar_one_or_none() or 0


async def status(session: Session, conversation: str) -> Status:
    """Who holds the conversation; the bot holds those that have not begun."""
    found: Status | None = (
        await session.execute(_STATUS, {"p_conversation": conversation})
    ).scalar_one_or_none()
    return found or "bot"


async def changed_since(session: Session, conversations: Sequence[str], since: datetime) -> dict[str, Status]:
    """Who holds those of these conversations (some hundreds at most) that changed since then."""
    rows = await session.execute(_CHANGED, {"p_ids": conversations, "p_since": since})
    return {row.id: row.status for row in rows}


async def fence(session: Session, conversation: str) -> int:
    """The fencing number as it is now; -1 where there is no such conversation."""
    found = (await session.execute(_FENCE, {"p_conversation": conversation})).scalar_one_or_none()
    return -1 if found is None else int(found)


async def trace(session: Session, conversation: str, seq: int) -> TraceRecord | None:
    """Why the customer's message `seq` was answered as it was; None where nothing was kept."""
    row = (await session.execute(_TRACE, {"p_conversation": conversation, "p_seq": seq})).one_or_none()
    return None if row is None else TraceRecord(**row._mapping)


def _window(conversation: str, seq: int, limit: int) -> dict[str, Any]:
    return {"p_conversation": conversation, "p_seq": bounded(seq), "p_limit": limit}


def _line(row: Any) -> Line:
    return Line(
        seq=row.line_seq,
        role=row.line_role,
        text=row.line_text,
        at=row.line_created_at,
        choice=row.line_choice,
        state=row.line_state,
        reply_to=row.line_reply_to,
        quick_replies=_buttons(row.line_payload),
        topic=row.line_payload.get("topic"),
    )


def as_message(row: Any) -> Message:
    return Message(
        seq=row.seq,
        role=row.role,
        text=row.text,
        at=row.created_at,
        external_id=row.external_id,
        turn=row.turn,
        attempt=row.attempt,
        reply_to=row.reply_to,
        quick_replies=_buttons(row.payload),
        citations=tuple(Citation(**citation) for citation in row.payload.get("citations", ())),
        feedback=row.vote,
        rateable=row.payload.get("rateable", False),
    )


def _buttons(payload: dict[str, Any]) -> tuple[QuickReply, ...]:
    return tuple(QuickReply(**button) for button in payload.get("quick_replies", ()))
