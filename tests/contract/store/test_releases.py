"""Which release is live: changed at once, by one at a time, with a way back and a history."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from bot.errors import Conflict, NotFound
from bot.store import releases
from bot.store.db import Database
from bot.store.releases import Aliases, Change, Note
from tests.contract.store.samples import later

ME = Note("ada", "it is better")


async def promote(db: Database, name: str, *, instead: str, at: float = 0) -> Aliases:
    unit = partial(releases.promote, name=name, now=later(at), instead=instead, note=ME)
    return await db.write(unit)


async def roll_back(db: Database, *, at: float = 0) -> Aliases:
    return await db.write(partial(releases.roll_back, now=later(at), note=Note("bob", "it was not")))


async def aliases(db: Database) -> tuple[Aliases, int]:
    async with db.read() as session:
        return await releases.aliases(session), await releases.revision(session)


async def history(db: Database, limit: int = 100) -> list[Change]:
    async with db.read() as session:
        return await releases.history(session, limit=limit)


async def test_base_is_live_from_the_first_day(db: Database) -> None:
    assert await aliases(db) == (Aliases("base"), 0)
    assert (await aliases(db))[0].order == ("base",)
    with pytest.raises(NotFound, match="Nothing was live before"):
        await roll_back(db)
    assert await history(db) == []


async def test_a_promotion_keeps_what_was_live_and_takes_the_candidate_away(db: Database) -> None:
    await db.write(partial(releases.offer, name="a", now=later(0)))
    await db.write(partial(releases.offer, name="b", now=later(0)))
    assert await aliases(db) == (Aliases("base", candidate="b"), 0)
    assert await promote(db, "a", instead="base") == Aliases("a", candidate="b", previous="base")
    assert await promote(db, "b", instead="a") == Aliases("b", previous="a")
    found, revision = await aliases(db)
    assert (found, revision) == (Aliases("b", previous="a"), 2)
    assert found.order == ("b", "a", "base")
    assert found.names == {"a", "b"}


async def test_rolling_back_twice_changes_nothing(db: Database) -> None:
    await promote(db, "a", instead="base")
    await promote(db, "b", instead="a")
    assert await roll_back(db) == Aliases("a", previous="b")
    assert await roll_back(db) == Aliases("b", previous="a")
    assert (await aliases(db))[1] == 4


async def test_base_may_be_live_again(db: Database) -> None:
    await promote(db, "a", instead="base")
    assert await roll_back(db) == Aliases("base", previous="a")
    await promote(db, "a", instead="base")
    assert await promote(db, "base", instead="a") == Aliases("base", previous="a")


async def test_history_says_who_what_when_and_why_newest_first(db: Database) -> None:
    verdict = {"passed": True, "lines": [{"metric": "intent.accuracy", "value": 0.9}]}
    note = Note("ada", "更好", verdict)
    await db.write(partial(releases.promote, name="a", now=later(1), instead="base", note=note))
    await roll_back(db, at=2)
    assert await history(db) == [
        Change(2, "rollback", "base", "a", "bob", "it was not", {}, later(2)),
        Change(1, "promote", "a", "base", "ada", "更好", verdict, later(1)),
    ]
    assert [change.number for change in await history(db, 1)] == [2]


async def test_what_was_decided_on_other_grounds_does_not_go_live(db: Database) -> None:
    await promote(db, "a", instead="base")
    with pytest.raises(Conflict, match="a went live meanwhile"):
        await promote(db, "b", instead="base")
    with pytest.raises(Conflict, match="a is live already"):
        await promote(db, "a", instead="a")
    assert await aliases(db) == (Aliases("a", previous="base"), 1)
    assert len(await history(db)) == 1


async def test_of_many_promotions_at_once_one_is_made(store_url: str) -> None:
    """From two processes' worth of connections, so that PostgreSQL's row lock is what decides."""
    stores = [Database(store_url) for _ in range(2)]
    for store in stores:
        await store.open()
    asked = [promote(stores[n % 2], f"r{n}", instead="base") for n in range(8)]
    results = await asyncio.gather(*asked, return_exceptions=True)
    won = [result for result in results if isinstance(result, Aliases)]
    assert len(won) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 7
    assert await aliases(stores[0]) == (won[0], 1)
    rolled = await asyncio.gather(*(roll_back(stores[n % 2]) for n in range(6)))
    assert len(rolled) == 6
    found, revision = await aliases(stores[1])
    assert (found, revision) == (won[0], 7)
    assert [change.number for change in await history(stores[1])] == [7, 6, 5, 4, 3, 2, 1]
    for store in stores:
        await store.close()


async def test_a_candidate_may_be_withdrawn(db: Database) -> None:
    await db.write(partial(releases.offer, name="a", now=later(0)))
    assert not await db.write(partial(releases.withdraw, name="b"))
    assert await db.write(partial(releases.withdraw, name="a"))
    assert await aliases(db) == (Aliases(), 0)
