"""Which release is live. Artefacts are files (`training.registry`); what they are called is rows, changed at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Executable, Integer, bindparam, delete, insert, select, update

from bot.errors import Conflict, NotFound
from bot.store.portable import Upsert
from bot.store.session import Session
from bot.store.tables import META, RELEASE_ALIAS, RELEASE_CHANGE
from training.release import BASE

LIVE, CANDIDATE, PREVIOUS = "live", "candidate", "previous"
REVISION = "release_revision"
"""Key in `meta`; its migration sets it to 0."""

_a, _c = RELEASE_ALIAS.c, RELEASE_CHANGE.c
_ALIASES = select(_a.alias, _a.release)
_REVISION = select(META.c.value).where(META.c.key == REVISION)
_LOCK_REVISION = _REVISION.with_for_update()
_SET_REVISION = update(META).where(META.c.key == REVISION).values(value=bindparam("p_value"))
_WITHDRAW = (
    delete(RELEASE_ALIAS)
    .where(_a.alias == CANDIDATE, _a.release == bindparam("p_release"))
    .returning(_a.alias)
)
_HISTORY = select(*RELEASE_CHANGE.c).order_by(_c.number.desc()).limit(bindparam("p_limit", type_=Integer()))
_NOTE = insert(RELEASE_CHANGE)


def _move(insertion: Any) -> Executable:
    new = {name: insertion.excluded[name] for name in ("release", "updated_at")}
    statement: Executable = insertion.on_conflict_do_update(index_elements=["alias"], set_=new)
    return statement


_POINT = Upsert(RELEASE_ALIAS, _move)


@dataclass(frozen=True, slots=True)
class Aliases:
    """Names of releases. `previous`: what was live before `live`; None before the first promotion."""

    live: str = BASE
    candidate: str | None = None
    previous: str | None = None

    @property
    def order(self) -> tuple[str, ...]:
        """What a server tries, best first: whatever else is lost, `base` is there."""
        return tuple(dict.fromkeys(name for name in (self.live, self.previous, BASE) if name))

    def meant(self, name: str) -> str:
        """The release behind an alias; any other name is one itself. Raises NotFound for an alias of nothing."""
        known = {LIVE: self.live, CANDIDATE: self.candidate, PREVIOUS: self.previous}
        release = known.get(name, name)
        if release is None:
            raise NotFound(f"There is no {name}.", hint="`kefu releases list` shows what there is.")
        return release

    @property
    def names(self) -> frozenset[str]:
        """Releases that an alias points to: they may not be removed."""
        return frozenset(name for name in (self.live, self.candidate, self.previous) if name)


@dataclass(frozen=True, slots=True)
class Note:
    """Who wants the change, why, and what the gate said (empty where it was not asked)."""

    by: str
    why: str = ""
    verdict: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """`release` went live instead of `before`, as the change `number` (from 1, without gaps)."""

    number: int
    action: Literal["promote", "rollback"]
    release: str
    before: str
    by: str
    why: str
    verdict: Mapping[str, Any]
    at: datetime


async def aliases(session: Session) -> Aliases:
    """Without a row for `live`: base."""
    return Aliases(**{row.alias: row.release for row in await session.execute(_ALIASES)})


async def revision(session: Session) -> int:
    """How often `live` changed. Cheap: a server looks at it every second."""
    return int((await session.execute(_REVISION)).scalar_one())


async def offer(session: Session, name: str, now: datetime) -> None:
    """The newest candidate is `name`; it may be promoted or not."""
    await _point(session, CANDIDATE, name, now=now)


async def withdraw(session: Session, name: str) -> bool:
    """`name` is no candidate any more; False where it was none."""
    return (await session.execute(_WITHDRAW, {"p_release": name})).scalar_one_or_none() is not None


async def promote(session: Session, name: str, now: datetime, *, instead: str, note: Note) -> Aliases:
    """`name` goes live, and what was live is `previous`. `instead`: what was live when this was decided.

    Raises Conflict: another release went live meanwhile, or this one has.
    """
    before = await _locked(session)
    if before.live != instead:
        hint = "Compare with that one, then decide again."
        raise Conflict(f"{before.live} went live meanwhile.", hint=hint, code="release")
    if before.live == name:
        raise Conflict(f"{name} is live already.", code="release")
    return await _go_live(
        session, Change(0, "promote", name, before.live, note.by, note.why, note.verdict, now)
    )


async def roll_back(session: Session, now: datetime, *, note: Note) -> Aliases:
    """What was live before is live again; done twice, nothing has changed. Raises NotFound where nothing was."""
    before = await _locked(session)
    if before.previous is None:
        raise NotFound("Nothing was live before.", hint="`kefu releases history` shows what was.")
    change = Change(0, "rollback", before.previous, before.live, note.by, note.why, note.verdict, now)
    return await _go_live(session, change)


async def history(session: Session, *, limit: int = 100) -> list[Change]:
    """Newest first."""
    return [Change(**row._mapping) for row in await session.execute(_HISTORY, {"p_limit": limit})]


async def _locked(session: Session) -> Aliases:
    # PostgreSQL: two changes follow one another, and the second one sees the first. SQLite has one writer.
    await session.execute(_LOCK_REVISION)
    return await aliases(session)


async def _go_live(session: Session, change: Change) -> Aliases:
    number = await revision(session) + 1
    await session.execute(_SET_REVISION, {"p_value": str(number)})
    await _point(session, LIVE, change.release, now=change.at)
    await _point(session, PREVIOUS, change.before, now=change.at)
    await withdraw(session, change.release)
    row = {name: getattr(change, name) for name in ("action", "release", "before", "by", "why", "at")}
    await session.execute(_NOTE, row | {"number": number, "verdict": dict(change.verdict)})
    return await aliases(session)


async def _point(session: Session, alias: str, name: str, *, now: datetime) -> None:
    row = {"alias": alias, "release": name, "updated_at": now}
    await session.execute(_POINT.on(session), row)
