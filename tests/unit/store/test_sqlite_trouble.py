"""When the disk is full, the file locked, a commit refused: a plain word, no loss, and on it goes afterwards."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import OperationalError

from bot.errors import StoreError
from bot.store.db import Database
from bot.store.session import DirectSession, Session, Unit
from bot.store.tables import ESCALATION, META
from tests.contract.store.samples import NOW, SEEDED


def put(key: str, *, size: int = 1) -> Unit[str]:
    async def unit(session: Session) -> str:
        await session.execute(insert(META), {"key": key, "value": "x" * size})
        return key

    return unit


def fill(key: str) -> Unit[str]:
    return put(key, size=10_000_000)


async def keys(db: Database) -> set[str]:
    async with db.read() as session:
        return set((await session.execute(select(META.c.key))).scalars()) - SEEDED


async def limit_pages(db: Database, more: int) -> None:
    async def unit(session: Session) -> None:
        pages = (await session.execute(text("PRAGMA page_count"))).scalar_one()
        await session.execute(text(f"PRAGMA max_page_count = {pages + more}"))

    await db.write(unit)


async def test_a_full_disk_is_named_and_writing_goes_on_when_there_is_room(db: Database) -> None:
    await limit_pages(db, 8)
    with pytest.raises(StoreError) as caught:
        await db.write(fill("big"))
    assert caught.value.code == "disk_full"
    assert "Free some space" in caught.value.hint
    assert await db.write(put("small")) == "small"
    await limit_pages(db, 1_000_000)
    assert await db.write(fill("big")) == "big"
    assert await keys(db) == {"small", "big"}


async def test_a_full_disk_hits_only_what_does_not_fit(db: Database) -> None:
    await limit_pages(db, 8)
    units = [put("a"), fill("big"), put("b")]
    results = await asyncio.gather(*(db.write(unit) for unit in units), return_exceptions=True)
    assert [results[0], results[2]] == ["a", "b"]
    assert isinstance(results[1], StoreError)
    assert await keys(db) == {"a", "b"}


async def test_a_unit_that_hides_a_full_disk_costs_nobody_else(db: Database) -> None:
    async def hide(session: Session) -> str:
        with pytest.raises(OperationalError):
            await fill("big")(session)
        return "hidden"

    await limit_pages(db, 8)
    units: list[Unit[str]] = [put("a"), hide, put("b")]
    results = await asyncio.gather(*(db.write(unit) for unit in units), return_exceptions=True)
    assert [results[0], results[2]] == ["a", "b"]
    assert await keys(db) == {"a", "b"}


async def test_a_lock_held_by_somebody_else_is_named(db: Database, outsider: sqlite3.Connection) -> None:
    outsider.execute("BEGIN IMMEDIATE")
    results = await asyncio.gather(*(db.write(put(f"k{i}")) for i in range(20)), return_exceptions=True)
    assert {type(r) for r in results} == {StoreError}
    assert {r.code for r in results if isinstance(r, StoreError)} == {"locked"}
    assert await keys(db) == set()
    outsider.execute("ROLLBACK")
    assert await db.write(put("k")) == "k"


async def test_a_short_lock_is_waited_for(path: Path, db: Database, outsider: sqlite3.Connection) -> None:
    patient = Database(f"sqlite:///{path}", busy=30)
    await patient.open()
    outsider.execute("BEGIN IMMEDIATE")
    task = asyncio.create_task(patient.write(put("k")))
    await asyncio.sleep(0.1)
    assert not task.done()
    outsider.execute("ROLLBACK")
    assert await task == "k"
    await patient.close()


async def test_a_commit_that_fails_undoes_its_unit_only(db: Database) -> None:
    async def orphan(session: Session) -> str:
        await session.execute(text("PRAGMA defer_foreign_keys = ON"))
        row = {"id": "x", "conversation_id": "none", "seq": 1, "reason": "r", "state": "open"}
        await session.execute(insert(ESCALATION), row | {"created_at": NOW, "updated_at": NOW})
        return "orphan"

    units: list[Unit[str]] = [put("a"), orphan, put("b")]
    results = await asyncio.gather(*(db.write(unit) for unit in units), return_exceptions=True)
    assert [results[0], results[2]] == ["a", "b"]
    assert isinstance(results[1], StoreError)
    assert results[1].code == "integrity"
    assert await keys(db) == {"a", "b"}
    async with db.read() as session:
        assert (await session.execute(select(ESCALATION))).all() == []


async def test_a_lost_connection_is_opened_again(db: Database) -> None:
    async def cut(session: Session) -> None:
        assert isinstance(session, DirectSession)
        driver = session._connection.connection.driver_connection
        assert driver is not None
        driver.close()
        await session.execute(select(META))

    results = await asyncio.gather(
        db.write(put("a")), db.write(cut), db.write(put("b")), return_exceptions=True
    )
    assert [results[0], results[2]] == ["a", "b"]
    assert isinstance(results[1], StoreError)
    assert await keys(db) == {"a", "b"}


async def test_more_than_may_wait_is_refused_at_once(path: Path, db: Database) -> None:
    narrow = Database(f"sqlite:///{path}", depth=4)
    await narrow.open()
    results = await asyncio.gather(*(narrow.write(put(f"k{i}")) for i in range(10)), return_exceptions=True)
    refused = [r for r in results if isinstance(r, StoreError)]
    assert {error.code for error in refused} == {"overloaded"}
    assert len(refused) == 6
    assert await keys(narrow) == {r for r in results if isinstance(r, str)}
    assert await narrow.write(put("later")) == "later"
    await narrow.close()


async def test_a_unit_that_waits_for_something_else_is_refused(db: Database) -> None:
    async def dawdle(session: Session) -> None:
        await put("dawdling")(session)
        await asyncio.sleep(0)

    results = await asyncio.gather(db.write(put("a")), db.write(dawdle), return_exceptions=True)
    assert results[0] == "a"
    assert isinstance(results[1], RuntimeError)
    assert await keys(db) == {"a"}


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    content = b"not a database, but long enough to look like the file of one" * 20
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        asyncio.run(Database(f"sqlite:///{path}").open())
    assert caught.value.code == "corrupt"
    assert path.read_bytes() == content


def test_a_folder_in_the_files_place_is_named(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StoreError, match=r"kefu\.db") as caught:
        asyncio.run(Database(f"sqlite:///{path}").open())
    assert caught.value.code == "unreachable"
