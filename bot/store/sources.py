"""Where answers come from: how many of a source stand, since when, and what they were made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, true

from bot.store.session import Session
from bot.store.tables import KNOWLEDGE, META

RECEIPT = "taken:"
"""Keys in `meta` of what sources were made from begin so."""

_k = KNOWLEDGE.c

_STOCK = (
    select(_k.source, func.count().label("answers"), func.max(_k.updated_at).label("changed_at"))
    .where(_k.active == true())
    .group_by(_k.source)
    .order_by(_k.source)
)
_OF_SOURCE = _k.source == bindparam("p_source")
_NAMES = select(_k.key, _k.lang).where(_OF_SOURCE, _k.active == true())
_STATE = select(func.count().filter(_k.active == true()), func.max(_k.revision)).where(_OF_SOURCE)
_THIS = META.c.key == bindparam("p_key")
_RECEIPT = select(META.c.value).where(_THIS)
_DROP = delete(META).where(_THIS)
_KEEP = insert(META)


@dataclass(frozen=True, slots=True)
class Stock:
    """A source and its answers that stand."""

    source: str
    answers: int
    changed_at: datetime
    """Of the newest change among them."""


async def stock(session: Session) -> list[Stock]:
    """What each source has, by name."""
    return [Stock(**row._mapping) for row in await session.execute(_STOCK)]


async def names(session: Session, source: str) -> list[tuple[str, str]]:
    """(key, language) of every answer of a source that stands."""
    return [(row.key, row.lang) for row in await session.execute(_NAMES, {"p_source": source})]


async def receipt(session: Session, source: str) -> str | None:
    """What was noted when this source was last taken in, if it still is as it was then."""
    kept = (await session.execute(_RECEIPT, {"p_key": RECEIPT + source})).scalar_one_or_none() or ""
    note, _, state = kept.rpartition(" ")
    return note if note and state == await _state(session, source) else None


async def keep_receipt(session: Session, source: str, note: str) -> None:
    """Note what the source was made from. Any later change of it, whoever makes it, ends the receipt."""
    await session.execute(_DROP, {"p_key": RECEIPT + source})
    value = f"{note} {await _state(session, source)}"
    await session.execute(_KEEP, {"key": RECEIPT + source, "value": value})


async def _state(session: Session, source: str) -> str:
    row: Any = (await session.execute(_STATE, {"p_source": source})).one()
    return f"{row[0]}@{row[1] or 0}"
