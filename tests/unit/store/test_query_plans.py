"""The questions that are asked all the time are answered from an index, however long the tables grow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import Executable, Result, Select, text

from bot.store import escalations, ledger, promises
from bot.store.db import Database
from bot.store.session import Parameters, Session
from tests.contract.store.samples import NOW, accept, answer, commit, inbound

Asks = Callable[[Session], Awaitable[object]]


class Explaining:
    """A session that keeps the plan of each statement it runs."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.dialect = session.dialect
        self.plan: list[str] = []

    async def execute(self, statement: Executable, parameters: Parameters | None = None, /) -> Result[Any]:
        assert isinstance(statement, Select)
        assert isinstance(parameters, Mapping)
        filled = statement.params(parameters)
        written = filled.compile(dialect=self.dialect, compile_kwargs={"literal_binds": True})
        steps = await self._session.execute(text(f"EXPLAIN QUERY PLAN {written}"))
        self.plan += [step.detail for step in steps]
        return await self._session.execute(statement, parameters)


@pytest.mark.parametrize(
    ("ask", "step"),
    [
        (lambda s: ledger.unanswered(s, 10), "ix_message_waiting"),
        (
            lambda s: ledger.context(s, "c1", 5),
            "message USING INDEX sqlite_autoindex_message_3 (conversation_id=? AND seq",
        ),
        (
            lambda s: ledger.history_after(s, "c1", 0),
            "message USING INDEX sqlite_autoindex_message_3 (conversation_id=? AND seq",
        ),
        (lambda s: ledger.fence(s, "c1"), "sqlite_autoindex_conversation_1"),
        (lambda s: ledger.trace(s, "c1", 1), "ix_trace_conversation_id_seq"),
        (lambda s: escalations.list_open(s, NOW), "ix_escalation_queue"),
        (
            lambda s: promises.outcomes(s, "r1", after=promises.Place(NOW), before=NOW, limit=9),
            "trace USING INDEX ix_trace_created_at_id",
        ),
        (lambda s: ledger.changed_since(s, ["c1"], NOW), "sqlite_autoindex_conversation_1"),
    ],
)
async def test_no_table_is_read_through(db: Database, ask: Asks, step: str) -> None:
    await accept(db, inbound("m1"))
    await commit(db, answer(1))
    async with db.read() as session:
        explaining = Explaining(session)
        await ask(explaining)
    assert any(step in taken for taken in explaining.plan), explaining.plan
    read_through = [taken for taken in explaining.plan if taken.startswith("SCAN") and "USING" not in taken]
    assert [taken for taken in read_through if not taken.startswith("SCAN line")] == []
