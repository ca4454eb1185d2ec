"""A reply goes out: messages, outbox, trace and escalation in one go, or nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Executable,
    Row,
    Update,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    select,
    text,
    update,
)

from bot.errors import Conflict, KefuError, NotFound
from bot.store.ledger import rows
from bot.store.ledger.records import Committed, Reply
from bot.store.portable import Upsert
from bot.store.prepared import keep
from bot.store.session import Session
from bot.store.tables import CONVERSATION, ESCALATION, MESSAGE, OUTBOX, TRACE, WAITING_FOR_REPLY
from connectors.port import Message

_c, _m = CONVERSATION.c, MESSAGE.c
_ID: BindParameter[str] = bindparam("p_conversation")
_SEQ: BindParameter[int] = bindparam("p_seq")
_THE_MESSAGE = and_(_m.conversation_id == _ID, _m.seq == _SEQ, _m.role == "customer")
_OWED = {False: text(f"message.{WAITING_FOR_REPLY}"), True: text("message.state = 'accepted'")}
"""By `late`: a promise to answer later is made once; the answer itself may follow it."""


def _take(*, by_bot: bool, late: bool) -> Update:
    """Writes nothing unless all holds: a refused reply costs its neighbours in the commit nothing."""
    status: Any = bindparam("p_status")
    passes_on = and_(status.is_not(None), _c.status != status)
    conditions = [_c.id == _ID, _c.fence == bindparam("p_fence")]
    conditions.append(exists().where(_THE_MESSAGE, _OWED[late]))
    if by_bot:
        conditions += [_c.status != "human", _c.status != "closed"]
    return keep(
        update(CONVERSATION)
        .where(*conditions)
        .values(
            last_seq=_c.last_seq + bindparam("p_count"),
            lang=func.coalesce(bindparam("p_lang"), _c.lang),
            fence=_c.fence + case((passes_on, 1), else_=0),
            status=func.coalesce(status, _c.status),
            updated_at=bindparam("p_now"),
        )
        .returning(_c.last_seq, _c.channel, _c.scope, _c.status, _c.fence, _c.lang)
    )


_TAKE = {
    (by_bot, late): _take(by_bot=by_bot, late=late) for by_bot in (False, True) for late in (False, True)
}
_MARK = {
    late: keep(update(MESSAGE).where(_THE_MESSAGE, _OWED[late]).values(state="late" if late else "answered"))
    for late in (False, True)
}
_STATE = select(_m.state).where(_THE_MESSAGE)
_MESSAGE, _OUTBOX, _TRACE = keep(insert(MESSAGE)), keep(insert(OUTBOX)), keep(insert(TRACE))


def _open_case(insertion: Any) -> Executable:
    statement: Executable = insertion.on_conflict_do_nothing().returning(ESCALATION.c.id)
    return statement


_OPEN_CASE = Upsert(ESCALATION, _open_case)


async def commit_reply(session: Session, reply: Reply, now: datetime) -> Committed:
    """Commit the reply if its fence stands, nobody else holds the conversation and nobody answered before.

    Raises Conflict `fence` (read the context again), Conflict `answered`, or NotFound. With `escalate` the
    conversation becomes `waiting`; one case is open at a time.
    """
    row = await _claim(session, reply, now)
    await _mark(session, reply)
    first = row.last_seq - len(reply.messages) + 1
    messages = tuple(rows.message(reply, d, seq, now=now) for seq, d in enumerate(reply.messages, first))
    if messages:
        await _send(session, reply, messages, row)
    if reply.trace is not None:
        await session.execute(_TRACE, rows.trace_row(reply, reply.trace, now=now))
    escalation = await _escalate(session, reply, row.lang, now) if reply.escalate is not None else None
    return Committed(messages, row.status, row.fence, escalation)


async def _claim(session: Session, reply: Reply, now: datetime) -> Row[Any]:
    by_bot = any(draft.role == "bot" for draft in reply.messages)
    values = {
        **_of(reply),
        "p_fence": reply.fence,
        "p_count": len(reply.messages),
        "p_lang": reply.lang,
        "p_status": None if reply.escalate is None else "waiting",
        "p_now": now,
    }
    row = (await session.execute(_TAKE[by_bot, reply.late], values)).one_or_none()
    if row is None:
        raise await _refusal(session, reply)
    return row


async def _refusal(session: Session, reply: Reply) -> KefuError:
    state = (await session.execute(_STATE, _of(reply))).scalar_one_or_none()
    if state is None:
        return NotFound("There is no such message to answer.")
    if state == "answered" or (reply.late and state == "late"):
        return _answered()
    return Conflict("Somebody else holds the conversation now.", hint="Read it again.", code="fence")


def _answered() -> Conflict:
    return Conflict("The message is answered already.", code="answered")


async def _mark(session: Session, reply: Reply) -> None:
    marked: Any = await session.execute(_MARK[reply.late], _of(reply))
    if marked.rowcount != 1:  # on PostgreSQL another reply may have come between the two statements
        raise _answered()


async def _send(session: Session, reply: Reply, messages: Sequence[Message], row: Row[Any]) -> None:
    pairs = zip(messages, reply.messages, strict=True)
    for message, draft in pairs:
        stored = rows.message_row(reply, message, draft, channel=row.channel, scope=row.scope)
        await session.execute(_MESSAGE, stored)
        await session.execute(_OUTBOX, rows.outbox_row(reply, message, channel=row.channel))


async def _escalate(session: Session, reply: Reply, lang: str | None, now: datetime) -> str | None:
    opened = await session.execute(_OPEN_CASE.on(session), rows.case_row(reply, lang, now=now))
    case_id: str | None = opened.scalar_one_or_none()
    return case_id


def _of(reply: Reply) -> dict[str, Any]:
    return {"p_conversation": reply.conversation, "p_seq": reply.seq}
