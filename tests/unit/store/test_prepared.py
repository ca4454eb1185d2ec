"""What is compiled once says and gives what SQLAlchemy's own way does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from bot.store.db import Database
from bot.store.engines import parse_url, sqlite_engine
from bot.store.ledger import accepting, reading, replying
from bot.store.prepared import keep, prepared
from bot.store.session import DirectSession, run_here
from bot.store.tables import CONVERSATION, MESSAGE, OUTBOX, TRACE
from tests.contract.store.freeze import everything

TABLES = (CONVERSATION, MESSAGE, OUTBOX, TRACE)
RANDOM = ("id", "turn")


async def contents(url: str, *, echo: bool) -> list[list[tuple[object, ...]]]:
    """What all that a release does leaves in the ledger, less what is drawn by lot."""
    db = Database(url, echo=echo)
    await db.open()
    await everything(db)
    async with db.read() as session:
        found = []
        for table in TABLES:
            columns = [column for column in table.c if column.name not in RANDOM or table is CONVERSATION]
            rows = (await session.execute(select(*columns))).all()
            found.append(sorted((tuple(row) for row in rows), key=repr))
    await db.close()
    return found


async def test_both_ways_leave_the_same_rows(tmp_path: Path) -> None:
    kept = await contents(f"sqlite:///{tmp_path / 'kept.db'}", echo=False)
    plain = await contents(f"sqlite:///{tmp_path / 'plain.db'}", echo=True)
    assert kept == plain
    assert all(kept)


def test_both_ways_give_the_same_rows(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kefu.db'}"
    asyncio.run(contents(url, echo=False))
    with sqlite_engine(parse_url(url), busy=1).begin() as connection:
        message = connection.execute(select(MESSAGE).where(MESSAGE.c.external_id.is_not(None))).first()
        assert message is not None
        first = {f"p_{name}": getattr(message, name) for name in ("channel", "scope", "external_id")}
        window = {"p_conversation": message.conversation_id, "p_seq": message.seq + 1, "p_limit": 5}
        for statement, values in ((accepting._FIRST, first), (reading._CONTEXT, window)):
            ours = prepared(statement, connection, values)
            assert ours is not None
            found, theirs = ours.run(connection, values), connection.execute(statement, values)
            assert list(found.keys()) == list(theirs.keys())
            rows: Any = found.all()
            assert rows == theirs.all()
            assert rows[0]._mapping.keys() == theirs.keys()


def test_a_change_tells_how_many_rows_it_changed_and_a_failure_is_sqlalchemys(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kefu.db'}"
    asyncio.run(contents(url, echo=False))
    mark = replying._MARK[False]
    with sqlite_engine(parse_url(url), busy=1).begin() as connection:
        missing = prepared(mark, connection, {"p_conversation": "none", "p_seq": 1})
        assert missing is not None
        assert missing.run(connection, {"p_conversation": "none", "p_seq": 1}).rowcount == 0
        row = connection.execute(select(MESSAGE)).mappings().first()
        assert row is not None
        session = DirectSession(connection)
        with pytest.raises(IntegrityError) as caught:
            run_here(lambda _: session.execute(replying._MESSAGE, dict(row)), connection)
        assert row["text"] not in str(caught.value)  # what customers wrote is in no log


def test_what_depends_on_its_parameters_is_not_kept(tmp_path: Path) -> None:
    by_value = keep(update(CONVERSATION).where(CONVERSATION.c.id.in_(["a", "b"])).values(lang="en"))
    with sqlite_engine(parse_url(f"sqlite:///{tmp_path / 'kefu.db'}"), busy=1).connect() as connection:
        with pytest.raises(ValueError, match="kept"):
            prepared(by_value, connection, {})
        assert prepared(select(CONVERSATION.c.id), connection, {}) is None
