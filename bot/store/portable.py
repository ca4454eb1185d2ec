"""Statements which the two databases spell alike but SQLAlchemy builds apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Executable, Table
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.prepared import keep
from bot.store.session import Session


class Upsert:
    """An INSERT .. ON CONFLICT for each database, built once: a statement built anew is slow to compile.

    `build` gets the dialect's own insert of `table`, with `on_conflict_do_*`.
    """

    def __init__(self, table: Table, build: Callable[[Any], Executable]) -> None:
        self._statements = {
            "sqlite": keep(build(sqlite.insert(table))),
            "postgresql": build(postgresql.insert(table)),
        }

    def on(self, session: Session) -> Executable:
        return self._statements[session.dialect.name]
