"""The knowledge as a list: for people and machines that look through it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Integer, Select, bindparam, or_, select, true

from bot.store.entries import in_tuples
from bot.store.session import Session
from bot.store.tables import KNOWLEDGE

_k = KNOWLEDGE.c


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A row of the knowledge. `revision`: that of its last change; not `active`: taken out, and never said."""

    id: str
    source: str
    key: str
    lang: str
    question: str
    answer: str
    title: str
    intent: str | None
    alternatives: tuple[str, ...]
    valid_from: date | None
    valid_to: date | None
    url: str | None
    audience: tuple[str, ...]
    revision: int
    active: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries; None is any. `text`: a part of question or answer, upper and lower case alike."""

    source: str | None = None
    key: str | None = None
    lang: str | None = None
    intent: str | None = None
    active: bool | None = None
    text: str | None = None


_ALL = select(*(_k[field.name] for field in fields(StoredEntry)))
_PAGE = _ALL.where(_k.id > bindparam("p_after")).order_by(_k.id).limit(bindparam("p_limit", type_=Integer()))
_FIND = _ALL.where(_k.id == bindparam("p_id"))
_NAMESAKES = _ALL.where(
    _k.key == bindparam("p_key"), _k.lang == bindparam("p_lang"), _k.active == true()
).order_by(_k.source)


async def entries(session: Session, wanted: Wanted, *, after: str = "", limit: int) -> list[StoredEntry]:
    """By id, from behind `after` on."""
    rows = await session.execute(_filtered(wanted), {"p_after": after, "p_limit": limit})
    return [_entry(row) for row in rows]


async def entry(session: Session, id: str) -> StoredEntry | None:
    row = (await session.execute(_FIND, {"p_id": id})).one_or_none()
    return None if row is None else _entry(row)


async def namesakes(session: Session, key: str, lang: str) -> list[StoredEntry]:
    """The answers that stand for this topic in this language, of any source."""
    return [_entry(row) for row in await session.execute(_NAMESAKES, {"p_key": key, "p_lang": lang})]


def _filtered(wanted: Wanted) -> Select[Any]:
    statement: Select[Any] = _PAGE
    for name in ("source", "key", "lang", "intent", "active"):
        if (value := getattr(wanted, name)) is not None:
            statement = statement.where(_k[name] == value)
    if wanted.text is not None:
        parts = (column.icontains(wanted.text, autoescape=True) for column in (_k.question, _k.answer))
        statement = statement.where(or_(*parts))
    return statement


def _entry(row: Any) -> StoredEntry:
    return StoredEntry(**in_tuples(row))
