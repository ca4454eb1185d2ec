"""Stored questions and answers. The table is the truth; index bundles are built from it, by revision."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, false, insert, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import StoreError
from bot.store.columns import UtcDateTime, new_id
from bot.store.portable import Upsert
from bot.store.tables import KNOWLEDGE, META
from retrieval.types import Entry

REVISION = "knowledge_revision"
CHUNK = 500
"""Rows a statement: the loop breathes in between."""

_CONTENT = ("question", "answer", "title", "intent", "alternatives", "valid_from", "valid_to", "url")
_k = KNOWLEDGE.c


@dataclass(frozen=True, slots=True)
class KnowledgeRow:
    """One entry of a source, by (key, lang). The hash covers all else; it is taken here, off the writer."""

    key: str
    lang: str
    question: str
    answer: str
    title: str = ""
    intent: str | None = None
    alternatives: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    """Last day, inclusive."""
    url: str | None = None
    content_hash: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        content = [getattr(self, name) for name in _CONTENT]
        written = json.dumps(content, ensure_ascii=True, default=date.isoformat)
        object.__setattr__(self, "content_hash", hashlib.sha256(written.encode()).hexdigest())


@dataclass(frozen=True, slots=True)
class SyncReport:
    """Counts of entries, and the knowledge revision afterwards."""

    added: int
    changed: int
    unchanged: int
    removed: int
    revision: int

_REVISION = select(META.c.value).where(META.c.key == REVISION)
_STORED = select(_k.id, _k.key, _k.lang, _k.content_hash, _k.active).where(_k.source == bindparam("p_source"))
_ADD = insert(KNOWLEDGE)
_CHANGE = (
    update(KNOWLEDGE)
    .where(_k.id == bindparam("p_id"))
    .values(
        **{name: bindparam(f"p_{name}", type_=_k[name].type) for name in (*_CONTENT, "content_hash")},
        revision=bindparam("p_revision"),
        active=true(),
        updated_at=bindparam("p_now", type_=UtcDateTime()),
    )
)
_REMOVE = (
    update(KNOWLEDGE)
    .where(_k.id == bindparam("p_id"))
    .values(active=false(), revision=bindparam("p_revision"), updated_at=bindparam("p_now", type_=UtcDateTime()))
)
_ACTIVE = (
    select(*(_k[name] for name in ("id", "key", "lang", *_CONTENT)))
    .where(_k.active == true(), _k.id > bindparam("p_after"))
    .order_by(_k.id)
    .limit(CHUNK)
)
_BUMP = Upsert(
    META,
    lambda insertion: insertion.on_conflict_do_update(
        index_elements=["key"], set_={"value": insertion.excluded.value}
    ),
)
