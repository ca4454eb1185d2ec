"""Something that people should look at, raised once for each kind and subject. No customer's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Executable, Integer, bindparam, select

from bot.store.columns import new_id
from bot.store.portable import Upsert
from bot.store.session import Session
from bot.store.tables import ALERT

Kind = Literal["promise", "budget"]

_a = ALERT.c
_ALERTS = (
    select(_a.subject, _a.about, _a.opened_at)
    .where(_a.kind == bindparam("p_kind"))
    .order_by(_a.opened_at.desc(), _a.id)
    .limit(bindparam("p_limit", type_=Integer()))
)


def _open(insertion: Any) -> Executable:
    statement: Executable = insertion.on_conflict_do_nothing(index_elements=["kind", "subject"]).returning(
        _a.id
    )
    return statement


_OPEN = Upsert(ALERT, _open)


@dataclass(frozen=True, slots=True)
class Alert:
    """`subject`: what it is about, once for each kind; `about`: numbers and names."""

    subject: str
    about: Mapping[str, Any]
    at: datetime


async def open_alert(
    session: Session, kind: Kind, subject: str, about: Mapping[str, Any], *, now: datetime
) -> bool:
    """False where there is one of this kind and subject already."""
    row = {"id": new_id(), "kind": kind, "subject": subject, "about": dict(about), "opened_at": now}
    return (await session.execute(_OPEN.on(session), row)).scalar_one_or_none() is not None


async def alerts(session: Session, kind: Kind, *, limit: int = 100) -> list[Alert]:
    """Newest first."""
    rows = await session.execute(_ALERTS, {"p_kind": kind, "p_limit": limit})
    return [Alert(row.subject, row.about, row.opened_at) for row in rows]
