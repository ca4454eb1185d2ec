"""What `Database.look` promises, on either database: the newest rows, to many at once, each with its own outcome."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import insert, select, text

from bot.errors import NotFound, StoreError
from bot.store.db import Database
from bot.store.session import Session, Unit
from bot.store.tables import META


def value(key: str) -> Unit[str | None]:
    async def unit(session: Session) -> str | None:
        found = await session.execute(select(META.c.value).where(META.c.key == key))
        return found.scalar_one_or_none()

    return unit


def put(key: str, *, value: str) -> Unit[None]:
    async def unit(session: Session) -> None:
        await session.execute(insert(META), {"key": key, "value": value})

    return unit


async def refuse(session: Session) -> None:
    raise NotFound("no such thing")


async def fail(session: Session) -> None:
    await session.execute(text("SELECT * FROM no_such_table"))


async def test_what_was_acknowledged_is_seen_by_a_look_that_begins_afterwards(db: Database) -> None:
    async def written_then_seen(number: int) -> str | None:
        await db.write(put(f"k{number}", value=str(number)))
        return await db.look(value(f"k{number}"))

    assert await asyncio.gather(*map(written_then_seen, range(200))) == [str(n) for n in range(200)]


async def test_each_gets_its_own_outcome_and_one_that_fails_harms_nobody(db: Database) -> None:
    await db.write(put("a", value="x"))
    looks = [db.look(value("a")), db.look(refuse), db.look(fail), db.look(value("a")), db.look(value("none"))]
    first, refused, failed, *rest = await asyncio.gather(*looks, return_exceptions=True)
    assert (first, rest) == ("x", ["x", None])
    assert isinstance(refused, NotFound)
    assert isinstance(failed, StoreError)


async def test_a_look_cannot_write(db: Database) -> None:
    with pytest.raises(StoreError):
        await db.look(put("a", value="x"))
    assert await db.look(value("a")) is None


async def test_who_is_cancelled_takes_nobody_along(db: Database) -> None:
    await db.write(put("a", value="x"))
    tasks = [asyncio.create_task(db.look(value("a"))) for _ in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::3]:
        task.cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert {found[n] for n in range(20) if n % 3} == {"x"}
    assert await db.look(value("a")) == "x"


async def test_closing_answers_who_waits_and_refuses_who_comes(store_url: str) -> None:
    db = Database(store_url)
    await db.open()
    waiting = [asyncio.create_task(db.look(value("knowledge_revision"))) for _ in range(5)]
    await asyncio.sleep(0)
    if db.dialect == "sqlite":
        await db.close()
    assert len(set(await asyncio.gather(*waiting))) == 1
    await db.close()
    with pytest.raises(StoreError) as caught:
        await db.look(value("a"))
    assert caught.value.code == "closed"
