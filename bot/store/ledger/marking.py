"""What happens to messages and conversations afterwards: shown, rated, held by somebody else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Executable, bindparam, case, delete, select, text, update

from bot.errors import NotFound
from bot.store.columns import UtcDateTime, bounded
from bot.store.portable import Upsert
from bot.store.session import Session
from bot.store.tables import CONVERSATION, FEEDBACK, MESSAGE, OUTBOX
from connectors.port import Status, Vote

_c = CONVERSATION.c
_ID: BindParameter[str] = bindparam("p_conversation")
_SEQ: BindParameter[int] = bindparam("p_seq")
_NOW: BindParameter[datetime] = bindparam("p_now", type_=UtcDateTime())
_SHOWN = case((_c.last_seq < _SEQ, _c.last_seq), else_=_SEQ)

_ADVANCE = (
    update(CONVERSATION)
    .where(_c.id == _ID, _c.delivered_seq < _SHOWN)
    .values(delivered_seq=_SHOWN)
    .returning(_c.delivered_seq)
)
_DELIVERED = (
    update(OUTBOX)
    .where(OUTBOX.c.conversation_id == _ID, OUTBOX.c.seq <= _SEQ, OUTBOX.c.state.in_(["pending", "shown"]))
    .values(state="delivered", updated_at=_NOW)
)
_RATED = select(MESSAGE.c.payload).where(
    MESSAGE.c.conversation_id == _ID, MESSAGE.c.seq == _SEQ, text("message.role = 'bot'")
)
_TAKE_BACK = delete(FEEDBACK).where(FEEDBACK.c.conversation_id == _ID, FEEDBACK.c.seq == _SEQ)
_HOLD = (
    update(CONVERSATION)
    .where(_c.id == _ID)
    .values(
        fence=_c.fence + case((_c.status != bindparam("p_status"), 1), else_=0),
        status=bindparam("p_status"),
        updated_at=_NOW,
    )
    .returning(_c.fence)
)


def _vote(insertion: Any) -> Executable:
    statement: Executable = insertion.on_conflict_do_update(
        index_elements=["conversation_id", "seq"],
        set_={"vote": insertion.excluded.vote, "updated_at": insertion.excluded.updated_at},
    )
    return statement


_VOTE = Upsert(FEEDBACK, _vote)


async def delivered(session: Session, conversation: str, seq: int, now: datetime) -> bool:
    """The customer's screen shows everything up to `seq`. Never goes back; True if it went on."""
    values = {"p_conversation": conversation, "p_seq": bounded(seq)}
    reached = (await session.execute(_ADVANCE, values)).scalar_one_or_none()
    if reached is None:
        return False
    await session.execute(_DELIVERED, {"p_conversation": conversation, "p_seq": reached, "p_now": now})
    return True


async def vote(session: Session, conversation: str, seq: int, vote: Vote | None, now: datetime) -> None:
    """Thumbs for a bot's answer; None takes them back. Raises NotFound where there is no such answer."""
    one = {"p_conversation": conversation, "p_seq": bounded(seq)}
    payload = (await session.execute(_RATED, one)).scalar_one_or_none()
    if not payload or not payload.get("rateable"):
        raise NotFound("There is no such answer to rate.")
    if vote is None:
        await session.execute(_TAKE_BACK, one)
        return
    row = {"conversation_id": conversation, "seq": seq, "vote": vote, "updated_at": now}
    await session.execute(_VOTE.on(session), row)


async def hold(session: Session, conversation: str, status: Status, now: datetime) -> int:
    """Give the conversation to `status`; returns its fence, grown if that is a change. Raises NotFound."""
    values = {"p_conversation": conversation, "p_status": status, "p_now": now}
    fence: int | None = (await session.execute(_HOLD, values)).scalar_one_or_none()
    if fence is None:
        raise NotFound("There is no such conversation.")
    return fence
