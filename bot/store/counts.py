"""A few numbers about what is owed. Counted up to a bound, from partial indexes: cheap however much there is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, literal, select, text

from bot.store.knowledge import revision
from bot.store.session import Session
from bot.store.tables import DUE, ESCALATION, MESSAGE, OPEN, OUTBOX, WAITING_FOR_REPLY

BOUND = 10_000


def _count(table_name: str, table: object, condition: str) -> Select[int]:
    some = select(literal(1)).select_from(table).where(text(f"{table_name}.{condition}")).limit(BOUND)  # type: ignore[arg-type]
    return select(func.count()).select_from(some.subquery())


_UNANSWERED = _count("message", MESSAGE, WAITING_FOR_REPLY)
_OUTBOX = _count("outbox", OUTBOX, DUE)
_ESCALATIONS = _count("escalation", ESCALATION, OPEN)
_OLDEST = (
    select(MESSAGE.c.created_at)
    .where(text(f"message.{WAITING_FOR_REPLY}"))
    .order_by(MESSAGE.c.created_at)
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Counts:
    """None of the three is larger than `BOUND`. `oldest`: when the message was accepted that waits longest."""

    unanswered: int
    oldest: datetime | None
    outbox: int
    escalations: int
    revision: int


async def counts(session: Session) -> Counts:
    return Counts(
        unanswered=(await session.execute(_UNANSWERED)).scalar_one(),
        oldest=(await session.execute(_OLDEST)).scalar_one_or_none(),
        outbox=(await session.execute(_OUTBOX)).scalar_one(),
        escalations=(await session.execute(_ESCALATIONS)).scalar_one(),
        revision=await revision(session),
    )
