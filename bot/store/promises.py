"""What came of answers that were given under a promise, counted once each.

A watcher walks through the traces in the order of their time, from a place that is kept in `meta`. Where it stands and
what it counted change in one transaction, which only the watcher that read that place can make: nothing is counted
twice, whoever else walks, and whatever is killed on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Executable,
    Integer,
    String,
    and_,
    bindparam,
    exists,
    func,
    select,
    tuple_,
    update,
)

from bot.store.columns import UtcDateTime
from bot.store.portable import Upsert
from bot.store.session import Session
from bot.store.tables import ESCALATION, FEEDBACK, MESSAGE, META, PROMISE_COUNT, TRACE

PLACE = "promise_watched_to"
"""Key in `meta`: time and id of the last trace that was looked at. Missing before the first time."""
NEAR = 20
"""So many messages behind a question its answer is looked for."""

_t, _m, _p = TRACE.c, MESSAGE.c, PROMISE_COUNT.c
_RELEASE: BindParameter[str] = bindparam("p_release", type_=String())
_behind = MESSAGE.alias("behind")
_next = (
    select(func.min(_behind.c.seq))
    .where(
        _behind.c.conversation_id == _t.conversation_id,
        _behind.c.seq > _t.seq,
        _behind.c.seq <= _t.seq + NEAR,
        _behind.c.role == "customer",
    )
    .correlate(TRACE)
    .scalar_subquery()
)
_voted_down = (
    exists()
    .where(
        _m.conversation_id == _t.conversation_id,
        _m.seq > _t.seq,
        _m.seq <= _t.seq + NEAR,
        _m.reply_to == _t.seq,
        FEEDBACK.c.conversation_id == _m.conversation_id,
        FEEDBACK.c.seq == _m.seq,
        FEEDBACK.c.vote == "down",
    )
    .correlate(TRACE)
)
_asked_for_a_person = (
    exists()
    .where(ESCALATION.c.conversation_id == _t.conversation_id, ESCALATION.c.seq == _next)
    .correlate(TRACE)
)
_AFTER = tuple_(bindparam("p_at", type_=UtcDateTime()), bindparam("p_id", type_=String()))
_SETTLED = (
    select(
        *(_t.created_at, _t.id, _t.lang),
        and_(_t.release == _RELEASE, _t.bound.is_not(None), _t.decision.like("generate %")).label("answered"),
        (_voted_down | _asked_for_a_person).label("wrong"),
    )
    .where(tuple_(_t.created_at, _t.id) > _AFTER, _t.created_at < bindparam("p_before", type_=UtcDateTime()))
    .order_by(_t.created_at, _t.id)
    .limit(bindparam("p_limit", type_=Integer()))
)
_PLACE = select(META.c.value).where(META.c.key == PLACE)
_MOVE = (
    update(META)
    .where(META.c.key == PLACE, META.c.value == bindparam("p_old"))
    .values(value=bindparam("p_new"))
    .returning(META.c.key)
)
_COUNTS = select(_p.lang, _p.answered, _p.wrong).where(_p.release == _RELEASE).order_by(_p.lang)


def _begin(insertion: Any) -> Executable:
    statement: Executable = insertion.on_conflict_do_nothing()
    return statement


def _add(insertion: Any) -> Executable:
    new = insertion.excluded
    statement: Executable = insertion.on_conflict_do_update(
        index_elements=["release", "lang"],
        set_={
            "answered": _p.answered + new.answered,
            "wrong": _p.wrong + new.wrong,
            "updated_at": new.updated_at,
        },
    )
    return statement


_BEGIN, _ADD = Upsert(META, _begin), Upsert(PROMISE_COUNT, _add)


@dataclass(frozen=True, slots=True)
class Place:
    """How far the traces were looked at."""

    at: datetime
    id: str = ""

    def __str__(self) -> str:
        return f"{self.at.isoformat()} {self.id}"

    @classmethod
    def read(cls, value: str) -> Place:
        at, _, id = value.partition(" ")
        return cls(datetime.fromisoformat(at), id)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of a turn. `answered`: by that release, from understanding; `wrong`: a thumb down, or a person asked for next."""

    place: Place
    lang: str
    answered: bool
    wrong: bool


@dataclass(frozen=True, slots=True)
class Count:
    """Of answers in one language."""

    lang: str
    answered: int
    wrong: int


async def place(session: Session, now: datetime) -> Place:
    """Where to go on: from now on, the first time."""
    found = (await session.execute(_PLACE)).scalar_one_or_none()
    if found is None:
        await session.execute(_BEGIN.on(session), {"key": PLACE, "value": str(Place(now))})
        found = (await session.execute(_PLACE)).scalar_one()
    return Place.read(found)


async def outcomes(
    session: Session, release: str, *, after: Place, before: datetime, limit: int
) -> list[Outcome]:
    """Of the turns behind `after` and earlier than `before`, oldest first."""
    values = {"p_release": release, "p_at": after.at, "p_id": after.id, "p_before": before, "p_limit": limit}
    rows = await session.execute(_SETTLED, values)
    return [Outcome(Place(r.created_at, r.id), r.lang or "", bool(r.answered), bool(r.wrong)) for r in rows]


async def count(session: Session, release: str, found: list[Outcome], now: datetime, *, after: Place) -> bool:
    """Adds what is behind `after` to the counts and stands behind it; False where somebody did so meanwhile."""
    moved = await session.execute(_MOVE, {"p_old": str(after), "p_new": str(found[-1].place)})
    if moved.scalar_one_or_none() is None:
        return False
    for lang in sorted({outcome.lang for outcome in found if outcome.answered}):
        some = [outcome for outcome in found if outcome.answered and outcome.lang == lang]
        row = {"answered": len(some), "wrong": sum(outcome.wrong for outcome in some)}
        await session.execute(_ADD.on(session), {"release": release, "lang": lang, "updated_at": now, **row})
    return True


async def counts(session: Session, release: str) -> list[Count]:
    """By language."""
    return [
        Count(row.lang, row.answered, row.wrong)
        for row in await session.execute(_COUNTS, {"p_release": release})
    ]
