"""What generators took: of a day by model, whatever became of the answers, and of a conversation by its traces.

A day is one of UTC. Sums of a day outlive the conversations that they come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, BindParameter, Date, Executable, Integer, Select, bindparam, func, select

from bot.store.portable import Upsert
from bot.store.session import Session
from bot.store.tables import SPENDING, TRACE

_s, _t = SPENDING.c, TRACE.c
_DAY: BindParameter[date] = bindparam("p_day", type_=Date())
_TAKEN = ("requests", "prompt_tokens", "completion_tokens", "cost")


def _sum(column: Any) -> Any:
    """PostgreSQL adds up large whole numbers to decimals."""
    return func.coalesce(func.sum(column), 0).cast(BigInteger)


_OF_DAY = select(*(_sum(_s[name]) for name in _TAKEN)).where(_s.day == _DAY)
_OF_CONVERSATION = select(func.count(_t.cost), *(_sum(_t[name]) for name in _TAKEN[1:])).where(
    _t.conversation_id == bindparam("p_conversation")
)
_DAYS = (
    select(_s.day, _s.model, *(_s[name] for name in _TAKEN))
    .order_by(_s.day.desc(), _s.model)
    .limit(bindparam("p_limit", type_=Integer()))
)
_PAST = (_s.day < _DAY) | ((_s.day == _DAY) & (_s.model > bindparam("p_model")))


def _add(insertion: Any) -> Executable:
    statement: Executable = insertion.on_conflict_do_update(
        index_elements=["day", "model"], set_={name: _s[name] + insertion.excluded[name] for name in _TAKEN}
    )
    return statement


_ADD = Upsert(SPENDING, _add)


@dataclass(frozen=True, slots=True)
class Taken:
    """Sums. `requests`: to generators; of a conversation: answers for which any was asked. `cost` in millionths."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: int = 0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class Spent(Taken):
    """By one model."""

    model: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """What one model took in one day."""

    day: date
    model: str
    taken: Taken


async def add(session: Session, day: date, spent: Sequence[Spent]) -> None:
    for one in spent:
        row = {"day": day, "model": one.model} | {name: getattr(one, name) for name in _TAKEN}
        await session.execute(_ADD.on(session), row)


async def of_day(session: Session, day: date) -> Taken:
    return Taken(*(await session.execute(_OF_DAY, {"p_day": day})).one())


async def of_conversation(session: Session, conversation: str) -> Taken:
    """Of the answers that were given in it."""
    return Taken(*(await session.execute(_OF_CONVERSATION, {"p_conversation": conversation})).one())


async def days(session: Session, *, after: tuple[date, str] | None = None, limit: int) -> list[Day]:
    """The newest first, a row a model; from behind `after` on."""
    statement: Select[Any] = _DAYS
    values: dict[str, Any] = {"p_limit": limit}
    if after is not None:
        statement, values = statement.where(_PAST), values | {"p_day": after[0], "p_model": after[1]}
    return [Day(row.day, row.model, Taken(*row[2:])) for row in await session.execute(statement, values)]
