"""Conversations that wait for a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    Executable,
    Integer,
    String,
    Update,
    and_,
    bindparam,
    cast,
    select,
    text,
    tuple_,
    update,
)

from bot.errors import Conflict, NotFound
from bot.store.columns import UtcDateTime
from bot.store.ledger import hold
from bot.store.portable import Upsert
from bot.store.session import Session
from bot.store.tables import ESCALATION, MESSAGE, META, OPEN

_e, _m = ESCALATION.c, MESSAGE.c
_ID: BindParameter[str] = bindparam("p_id")
_NOW: BindParameter[datetime] = bindparam("p_now", type_=UtcDateTime())

_LAST_TEXT = (
    select(_m.text)
    .where(and_(_m.conversation_id == _e.conversation_id, _m.role == "customer"))
    .order_by(_m.seq.desc())
    .limit(1)
    .correlate(ESCALATION)
    .scalar_subquery()
    .label("last_text")
)
_OPEN = (
    select(_e.id, _e.conversation_id, _e.seq, _e.reason, _e.lang, _e.created_at, _LAST_TEXT)
    .where(text(f"escalation.{OPEN}"))
    .order_by(_e.created_at, _e.id)
    .limit(bindparam("p_limit", type_=Integer()))
)
_AFTER = tuple_(bindparam("p_at", type_=UtcDateTime()), bindparam("p_after", type_=String()))
_OPEN_BEHIND = _OPEN.where(tuple_(_e.created_at, _e.id) > _AFTER)
REVISION = "case_revision"
"""Key in `meta`: grows whenever a case changes hands. Missing before the first time."""
_REVISION = select(META.c.value).where(META.c.key == REVISION)


def _count(insertion: Any) -> Executable:
    one_more = cast(cast(META.c.value, Integer) + 1, String)
    statement: Executable = insertion.on_conflict_do_update(index_elements=["key"], set_={"value": one_more})
    return statement


_CHANGED_HANDS = Upsert(META, _count)
_STATE = select(_e.state).where(_e.id == _ID)


def _move(to: str, *states: str) -> Update:
    move = update(ESCALATION).where(_e.id == _ID, _e.state.in_(states))
    return move.values(state=to, updated_at=_NOW).returning(_e.conversation_id)


_TAKE = _move("taken", "open")
_CLOSE = _move("closed", "open", "taken")


@dataclass(frozen=True, slots=True)
class OpenCase:
    """`age`: how long the customer has been waiting; `last_text`: the newest words of the customer's."""

    id: str
    conversation: str
    seq: int
    reason: str
    lang: str | None
    last_text: str
    at: datetime
    age: timedelta


async def list_open(
    session: Session, now: datetime, *, limit: int = 100, after: tuple[datetime, str] | None = None
) -> list[OpenCase]:
    """Cases nobody has taken, the longest waiting first, from behind `after` (its time and id) on."""
    values: dict[str, Any] = {"p_limit": limit}
    if after is None:
        rows = await session.execute(_OPEN, values)
    else:
        rows = await session.execute(_OPEN_BEHIND, values | {"p_at": after[0], "p_after": after[1]})
    return [_case(row, now) for row in rows]


async def take(session: Session, case: str, now: datetime) -> str:
    """A person takes the case and its conversation, whose id is returned. Raises NotFound, Conflict."""
    conversation = await _step(session, _TAKE, case, now=now)
    await hold(session, conversation, "human", now)
    return conversation


async def close(session: Session, case: str, now: datetime) -> str:
    """The case is done; its conversation, whose id is returned, is the bot's. Raises NotFound, Conflict."""
    conversation = await _step(session, _CLOSE, case, now=now)
    await hold(session, conversation, "bot", now)
    return conversation


async def revision(session: Session) -> int:
    """How often a case was taken or closed."""
    return int((await session.execute(_REVISION)).scalar_one_or_none() or 0)


async def _step(session: Session, move: Update, case: str, *, now: datetime) -> str:
    conversation: str | None = (
        await session.execute(move, {"p_id": case, "p_now": now})
    ).scalar_one_or_none()
    if conversation is not None:
        await session.execute(_CHANGED_HANDS.on(session), {"key": REVISION, "value": "1"})
        return conversation
    state = (await session.execute(_STATE, {"p_id": case})).scalar_one_or_none()
    if state is None:
        raise NotFound("There is no such case.")
    raise Conflict(f"The case is {state} already.", hint="Read the list again.", code="escalation")


def _case(row: Any, now: datetime) -> OpenCase:
    return OpenCase(
        id=row.id,
        conversation=row.conversation_id,
        seq=row.seq,
        reason=row.reason,
        lang=row.lang,
        last_text=row.last_text or "",
        at=row.created_at,
        age=now - row.created_at,
    )
