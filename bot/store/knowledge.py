"""Stored questions and answers. The table is the truth; index bundles are built from it, by revision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Executable, bindparam, false, insert, select, true, update

from bot.errors import StoreError
from bot.store.columns import UtcDateTime, new_id
from bot.store.entries import CONTENT, KnowledgeRow, SyncReport, from_entry, in_tuples
from bot.store.session import Session
from bot.store.tables import KNOWLEDGE, META
from retrieval.types import Entry

__all__ = [
    "KnowledgeRow",
    "SyncReport",
    "active",
    "from_entry",
    "put",
    "remove",
    "revision",
    "sources",
    "sync",
]

REVISION = "knowledge_revision"
"""Key in `meta`; the first migration sets it to 0."""
CHUNK = 500
"""Rows a statement: the loop breathes in between."""

T = TypeVar("T")
_k = KNOWLEDGE.c


_NOW = bindparam("p_now", type_=UtcDateTime())
_THIS = _k.id == bindparam("p_id")

_REVISION = select(META.c.value).where(META.c.key == REVISION)
_LOCK_REVISION = _REVISION.with_for_update()
_SET_REVISION = update(META).where(META.c.key == REVISION).values(value=bindparam("p_value"))
_SOURCES = select(_k.source).where(_k.active == true()).distinct().order_by(_k.source)
_STORED = select(_k.id, _k.key, _k.lang, _k.content_hash, _k.active).where(_k.source == bindparam("p_source"))
_STORED_AMONG = _STORED.where(_k.key.in_(bindparam("p_keys", expanding=True)))
_STORED_ONE = _STORED.where(_k.key == bindparam("p_key"), _k.lang == bindparam("p_lang"))
_STANDS = select(_k.id).where(_THIS, _k.active == true())
_ADD = insert(KNOWLEDGE)
_CHANGE = (
    update(KNOWLEDGE)
    .where(_THIS)
    .values(
        {name: bindparam(f"p_{name}", type_=_k[name].type) for name in (*CONTENT, "content_hash", "revision")}
        | {"active": true(), "updated_at": _NOW}
    )
)
_REMOVE = (
    update(KNOWLEDGE).where(_THIS).values(active=false(), revision=bindparam("p_revision"), updated_at=_NOW)
)
_ACTIVE = (
    select(*(_k[name] for name in ("id", "key", "lang", *CONTENT)))
    .where(_k.active == true(), _k.id > bindparam("p_after"))
    .order_by(_k.id)
    .limit(CHUNK)
)


async def sync(
    session: Session, source: str, entries: Sequence[KnowledgeRow], now: datetime, *, prune: bool
) -> SyncReport:
    """Make `source` say what `entries` say; with `prune`, what is not among them is no answer any more.

    Idempotent: the knowledge revision grows only where something changed, and (key, lang) keeps its id
    through every change, also when it was gone in between. Raises StoreError `duplicate_key`. Holds the
    writer while it runs: hand over very large sources in parts, without `prune`.
    """
    wanted = _by_name(source, entries)
    before = await _lock_revision(session)
    stored = await (
        _stored(session, _STORED, {"p_source": source}) if prune else _among(session, source, wanted)
    )
    added = [entry for name, entry in wanted.items() if name not in stored]
    changed = [(stored[name], entry) for name, entry in wanted.items() if _differs(stored.get(name), entry)]
    removed = [row for name, row in stored.items() if prune and row.active and name not in wanted]
    after = await _grow(session, before) if added or changed or removed else before
    stamp = {"p_revision": after, "p_now": now}
    await _each(session, _ADD, [_new(source, entry, after, now=now) for entry in added])
    await _each(
        session, _CHANGE, [_content(entry, "p_") | stamp | {"p_id": row.id} for row, entry in changed]
    )
    await _each(session, _REMOVE, [stamp | {"p_id": row.id} for row in removed])
    back = sum(1 for row, _ in changed if not row.active)
    return SyncReport(
        added=len(added) + back,
        changed=len(changed) - back,
        unchanged=len(wanted) - len(added) - len(changed),
        removed=len(removed),
        revision=after,
    )


async def put(session: Session, source: str, entry: KnowledgeRow, now: datetime) -> str:
    """One entry of `source`, without a look at its others; returns the id. What stands already stays as it is."""
    before = await _lock_revision(session)
    name = {"p_source": source, "p_key": entry.key, "p_lang": entry.lang}
    row = (await _stored(session, _STORED_ONE, name)).get((entry.key, entry.lang))
    if row is None:
        new = _new(source, entry, await _grow(session, before), now=now)
        await session.execute(_ADD, new)
        return str(new["id"])
    if _differs(row, entry):
        stamp = {"p_revision": await _grow(session, before), "p_now": now, "p_id": row.id}
        await session.execute(_CHANGE, _content(entry, "p_") | stamp)
    return str(row.id)


async def remove(session: Session, id: str, now: datetime) -> bool:
    """The entry is no answer any more; False where it was none."""
    before = await _lock_revision(session)
    if (await session.execute(_STANDS, {"p_id": id})).scalar_one_or_none() is None:
        return False
    after = await _grow(session, before)
    await session.execute(_REMOVE, {"p_id": id, "p_revision": after, "p_now": now})
    return True


async def revision(session: Session) -> int:
    """Grows with every change of what the bot may answer; 0 while there is nothing."""
    return int((await session.execute(_REVISION)).scalar_one())


async def sources(session: Session) -> list[str]:
    """Names of the sources that have active entries."""
    return list((await session.execute(_SOURCES)).scalars())


async def active(session: Session) -> list[Entry]:
    """Every answer that stands, by id. Dates of validity are the search's business."""
    found: list[Entry] = []
    after = ""
    while rows := (await session.execute(_ACTIVE, {"p_after": after})).all():
        found += [_entry(row) for row in rows]
        after = found[-1].id
    return found


def _by_name(source: str, entries: Sequence[KnowledgeRow]) -> dict[tuple[str, str], KnowledgeRow]:
    wanted = {(entry.key, entry.lang): entry for entry in entries}
    if len(wanted) < len(entries):
        twice = next(n for n, count in Counter((e.key, e.lang) for e in entries).items() if count > 1)
        raise StoreError(
            f"{source} has two entries with the key {twice[0]!r} in language {twice[1]!r}.",
            hint="Rename one, or make it an alternative question of the other.",
            code="duplicate_key",
        )
    return wanted


async def _among(
    session: Session, source: str, names: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], Any]:
    """As `_stored`, of these names: a part of a source costs no more for what is there already."""
    found: dict[tuple[str, str], Any] = {}
    for keys in _chunks(sorted({key for key, _ in names})):
        found |= await _stored(session, _STORED_AMONG, {"p_source": source, "p_keys": keys})
    return found


async def _lock_revision(session: Session) -> int:
    # PostgreSQL: two syncs follow one another, so no two changes share a revision. SQLite has one writer.
    return int((await session.execute(_LOCK_REVISION)).scalar_one())


async def _grow(session: Session, before: int) -> int:
    await session.execute(_SET_REVISION, {"p_value": str(before + 1)})
    return before + 1


async def _stored(
    session: Session, statement: Executable, values: dict[str, Any]
) -> dict[tuple[str, str], Any]:
    return {(row.key, row.lang): row for row in await session.execute(statement, values)}


def _differs(row: Any, entry: KnowledgeRow) -> bool:
    return row is not None and not (row.active and row.content_hash == entry.content_hash)


async def _each(session: Session, statement: Executable, rows: Sequence[dict[str, Any]]) -> None:
    for chunk in _chunks(rows):
        await session.execute(statement, chunk)


def _chunks(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]


def _content(entry: KnowledgeRow, prefix: str = "") -> dict[str, Any]:
    content = {f"{prefix}{name}": getattr(entry, name) for name in (*CONTENT, "content_hash")}
    lists = {"alternatives": list(entry.alternatives), "audience": list(entry.audience)}
    return content | {f"{prefix}{name}": values for name, values in lists.items()}


def _new(source: str, entry: KnowledgeRow, revision: int, *, now: datetime) -> dict[str, Any]:
    name = {"id": new_id(), "source": source, "key": entry.key, "lang": entry.lang}
    state = {"revision": revision, "active": True, "created_at": now, "updated_at": now}
    return name | _content(entry) | state


def _entry(row: Any) -> Entry:
    return Entry(**in_tuples(row))
