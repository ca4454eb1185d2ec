"""Messages of customers whose right answer is known: they pressed its button, or gave it a thumbs-up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Integer, Select, String, and_, bindparam, func, select, tuple_

from bot.store.session import Session
from bot.store.tables import FEEDBACK, MESSAGE, TRACE

PAGE = 500
"""Rows a statement: whoever waits for the database gets a turn in between."""
By = Literal["pressed", "praised"]
WAYS: tuple[By, ...] = get_args(By)
Mark = tuple[str, int]
"""Conversation, and number of the message that confirmed."""
START: Mark = ("", 0)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """`answer`: an entry's id where it was `pressed`, its key where it was `praised`."""

    mark: Mark
    text: str
    at: datetime
    lang: str | None
    answer: str
    by: By
    alone: bool
    """The text says by itself what is meant; it was not read with the message before."""


_asked, _shown, _after = MESSAGE.alias("asked"), MESSAGE.alias("shown"), MESSAGE.alias("later")
_answer, _earlier = MESSAGE.alias("answer"), MESSAGE.alias("earlier")
_LIMIT = bindparam("p_limit", type_=Integer())
_BEHIND = tuple_(bindparam("p_conversation", type_=String()), bindparam("p_seq", type_=Integer()))
_TOLD = (
    *(_asked.c.text, _asked.c.created_at, _shown.c.payload),
    *(TRACE.c.lang, TRACE.c.contextual),
)
_TRACED = and_(TRACE.c.conversation_id == _asked.c.conversation_id, TRACE.c.seq == _asked.c.seq)


def _pressed() -> Select[Any]:
    """Buttons that were pressed next after the bot had asked which is meant, unless their answer got a thumbs-down."""
    before = (
        select(func.max(_earlier.c.seq))
        .where(_one_talk(_earlier, _after), _earlier.c.role == "customer", _earlier.c.seq < _after.c.seq)
        .correlate(_after)
        .scalar_subquery()
    )
    blamed = (
        select(_answer.c.seq)
        .join(FEEDBACK, and_(_one_talk(_answer, FEEDBACK), FEEDBACK.c.seq == _answer.c.seq))
        .where(_one_talk(_answer, _after), _answer.c.reply_to == _after.c.seq, FEEDBACK.c.vote == "down")
        .correlate(_after)
        .exists()
    )
    return (
        select(*_TOLD, _after.c.conversation_id, _after.c.seq, _after.c.choice)
        .select_from(_after)
        .join(_asked, and_(_one_talk(_asked, _after), _asked.c.seq == before, _asked.c.choice.is_(None)))
        .join(_shown, and_(_one_talk(_shown, _after), _shown.c.reply_to == before, _shown.c.role == "bot"))
        .outerjoin(TRACE, _TRACED)
        .where(_after.c.role == "customer", _after.c.choice.is_not(None), ~blamed)
        .where(tuple_(_after.c.conversation_id, _after.c.seq) > _BEHIND)
        .order_by(_after.c.conversation_id, _after.c.seq)
        .limit(_LIMIT)
    )


def _praised() -> Select[Any]:
    """Answers with a thumbs-up, each with what was typed."""
    return (
        select(*_TOLD, FEEDBACK.c.conversation_id, FEEDBACK.c.seq)
        .select_from(FEEDBACK)
        .join(_shown, and_(_one_talk(_shown, FEEDBACK), _shown.c.seq == FEEDBACK.c.seq))
        .join(_asked, and_(_one_talk(_asked, FEEDBACK), _asked.c.seq == _shown.c.reply_to))
        .outerjoin(TRACE, _TRACED)
        .where(FEEDBACK.c.vote == "up", _asked.c.role == "customer", _asked.c.choice.is_(None))
        .where(tuple_(FEEDBACK.c.conversation_id, FEEDBACK.c.seq) > _BEHIND)
        .order_by(FEEDBACK.c.conversation_id, FEEDBACK.c.seq)
        .limit(_LIMIT)
    )


def _one_talk(one: Any, other: Any) -> Any:
    return one.c.conversation_id == other.c.conversation_id


_SELECT: dict[By, Select[Any]] = {"pressed": _pressed(), "praised": _praised()}


async def page(session: Session, by: By, after: Mark = START) -> tuple[list[Confirmed], Mark | None]:
    """Those behind `after`, and the mark of the last row that was looked at; None where there are no more."""
    values = {"p_conversation": after[0], "p_seq": after[1], "p_limit": PAGE}
    rows = (await session.execute(_SELECT[by], values)).all()
    found = [_confirmed(row, by, answer) for row in rows if (answer := _answered(row, by)) is not None]
    return found, (rows[-1].conversation_id, rows[-1].seq) if len(rows) == PAGE else None


def _answered(row: Any, by: By) -> str | None:
    """None where the button was an older one, or stands for no answer; or where a response has no topic."""
    if by == "praised":
        topic: str | None = row.payload.get("topic")
        return topic
    shown = (button["value"] for button in row.payload.get("quick_replies", ()))
    return next((value for value in shown if value == row.choice), None)


def _confirmed(row: Any, by: By, answer: str) -> Confirmed:
    mark = row.conversation_id, row.seq
    return Confirmed(mark, row.text, row.created_at, row.lang, answer, by, not row.contextual)
