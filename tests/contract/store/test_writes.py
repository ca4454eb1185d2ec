"""What `Database.write` and `Database.read` promise, on either database."""

from __future__ import annotations

import asyncio
import gc

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import ProgrammingError

from bot.errors import Conflict, NotFound, StoreError
from bot.store import pooled
from bot.store.db import Database
from bot.store.session import Session, Unit
from bot.store.tables import ESCALATION, META
from tests.contract.store.samples import SEEDED
from tests.postgres import database

WORDS = "my card number is 4929"


def put(key: str, value: str = "x") -> Unit[str]:
    async def unit(session: Session) -> str:
        await session.execute(insert(META), {"key": key, "value": value})
        return key

    return unit


def put_then_fail(key: str) -> Unit[None]:
    async def unit(session: Session) -> None:
        await session.execute(insert(META), {"key": key, "value": "x"})
        raise NotFound("no such thing")

    return unit


async def keys(db: Database) -> set[str]:
    async with db.read() as session:
        return set((await session.execute(select(META.c.key))).scalars()) - SEEDED


async def test_many_at_once_are_all_stored_and_each_gets_its_own_value(db: Database) -> None:
    names = [f"k{i}" for i in range(200)]
    assert await asyncio.gather(*(db.write(put(name)) for name in names)) == names
    assert await keys(db) == set(names)


async def test_what_was_written_is_read_right_after(db: Database) -> None:
    await db.write(put("one"))
    assert await keys(db) == {"one"}


async def test_only_the_guilty_unit_fails_and_nothing_of_it_stays(db: Database) -> None:
    units: list[Unit[object]] = [put("a"), put_then_fail("b"), put("c"), put("a"), put("d")]
    results = await asyncio.gather(*(db.write(unit) for unit in units), return_exceptions=True)
    assert isinstance(results[1], NotFound)
    assert (results[2], results[4]) == ("c", "d")
    # On PostgreSQL each has a transaction of its own, and either may be the first.
    assert {type(results[0]), type(results[3])} == {str, Conflict}
    assert await keys(db) == {"a", "c", "d"}


async def test_a_unit_that_fails_before_it_writes_leaves_its_neighbours_alone(db: Database) -> None:
    async def refuse(session: Session) -> None:
        assert (await session.execute(select(META))).all()
        raise Conflict("too late", code="answered")

    units: list[Unit[object]] = [put("a"), refuse, put("b")]
    results = await asyncio.gather(*(db.write(unit) for unit in units), return_exceptions=True)
    assert [results[0], results[2]] == ["a", "b"]
    assert isinstance(results[1], Conflict)
    assert results[1].code == "answered"
    assert await keys(db) == {"a", "b"}


async def test_a_unit_that_swallows_a_failed_statement_does_not_harm_others(db: Database) -> None:
    async def swallow(session: Session) -> str:
        with pytest.raises(ProgrammingError if db.dialect == "postgresql" else Exception):
            await session.execute(text("SELECT * FROM no_such_table"))
        return "swallowed"

    results = await asyncio.gather(
        db.write(put("a")), db.write(swallow), db.write(put("b")), return_exceptions=True
    )
    assert [results[0], results[2]] == ["a", "b"]
    assert await keys(db) == {"a", "b"}


async def test_a_cancelled_caller_takes_nobody_with_it(db: Database) -> None:
    tasks = [asyncio.create_task(db.write(put(f"k{i}"))) for i in range(20)]
    await asyncio.sleep(0)
    tasks[7].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[7], asyncio.CancelledError)
    others = {f"k{i}" for i in range(20) if i != 7}
    assert {r for r in results if isinstance(r, str)} == others
    assert await keys(db) >= others
    assert await db.write(put("after")) == "after"


async def test_a_taken_unique_row_is_a_conflict(db: Database) -> None:
    await db.write(put("a"))
    with pytest.raises(Conflict) as caught:
        await db.write(put("a"))
    assert caught.value.code == "conflict"


async def test_a_row_without_its_parent_is_refused_without_quoting_it(db: Database) -> None:
    from tests.contract.store.samples import NOW

    row = {"id": "x", "conversation_id": "none", "seq": 1, "reason": WORDS, "state": "open"}
    with pytest.raises(StoreError) as caught:
        await db.write(
            lambda session: session.execute(insert(ESCALATION), row | {"created_at": NOW, "updated_at": NOW})
        )
    assert caught.value.code == "integrity"
    assert WORDS not in str(caught.value)


async def test_text_that_cannot_be_stored_is_refused_as_such(db: Database) -> None:
    bad = ["lone \ud800 surrogate"] + ["NUL \x00 here"] * (db.dialect == "postgresql")
    for words in bad:
        with pytest.raises(StoreError) as caught:
            await db.write(put("k", words))
        assert caught.value.code == "bad_text"
    assert await db.write(put("k", "汉字 and 🙂")) == "k"


async def test_readers_cannot_write(db: Database) -> None:
    async with db.read() as session:
        with pytest.raises(Exception, match=r"read-?only"):
            await session.execute(insert(META), {"key": "a", "value": "x"})
    assert await keys(db) == set()


async def test_a_reader_sees_one_snapshot(db: Database) -> None:
    async with db.read() as session:
        before = (await session.execute(select(META))).all()
        await db.write(put("meanwhile"))
        assert (await session.execute(select(META))).all() == before
    assert await keys(db) == {"meanwhile"}


async def test_more_readers_than_connections_take_turns(db: Database) -> None:
    await db.write(put("a"))
    assert await asyncio.gather(*(keys(db) for _ in range(100))) == [{"a"}] * 100


async def test_a_cancelled_reader_gives_its_connection_back(db: Database) -> None:
    async def hang() -> None:
        async with db.read() as session:
            await session.execute(select(META))
            await asyncio.Event().wait()

    for _ in range(30):
        task = asyncio.create_task(hang())
        await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait([task])
    assert await keys(db) == set()


async def test_closing_commits_what_was_handed_over_first(store_url: str) -> None:
    db = Database(store_url)
    await db.open()
    tasks = [asyncio.create_task(db.write(put(f"k{i}"))) for i in range(10)]
    await asyncio.sleep(0)
    await db.close()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    await db.open()
    stored = await keys(db)
    await db.close()
    assert stored == {f"k{i}" for i, result in enumerate(results) if result == f"k{i}"}


async def test_closing_leaves_no_connection_behind(store_url: str) -> None:
    """A connection that nobody closed is told when it is collected, and that fails the test."""
    db = Database(store_url)
    await db.open()
    reading, read_on = asyncio.Event(), asyncio.Event()

    async def read() -> None:
        async with db.read() as session:
            await session.execute(select(META))
            reading.set()
            await read_on.wait()

    reader = asyncio.create_task(read())
    await reading.wait()
    writers = [asyncio.create_task(db.write(put(f"k{i}"))) for i in range(10)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(db.close())
    await asyncio.wait([*writers])
    read_on.set()
    await asyncio.gather(closing, reader)
    gc.collect()


async def test_a_server_that_does_not_answer_keeps_nobody_from_closing(
    postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooled, "PATIENCE_S", 0.05)
    begun, answered = asyncio.Event(), asyncio.Event()

    async def hang(session: Session) -> str:
        await session.execute(select(META))
        begun.set()
        await answered.wait()
        return "late"

    async with database(postgres_server) as url:
        db = Database(url)
        await db.open()
        late = asyncio.create_task(db.write(hang))
        await begun.wait()
        await db.close()
        assert not late.done()
        answered.set()
        assert await late == "late"
        gc.collect()  # nor does its connection stay


async def test_a_closed_database_says_so(store_url: str) -> None:
    db = Database(store_url)
    with pytest.raises(StoreError) as caught:
        await db.write(put("a"))
    assert caught.value.code == "closed"
    await db.open()
    await db.close()
    await db.close()
    with pytest.raises(StoreError) as caught:
        async with db.read():
            pass
    assert caught.value.code == "closed"
