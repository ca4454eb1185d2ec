"""What comes of answers is counted once, whoever counts; an alert is raised once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

from bot.store import alerts, ledger, promises
from bot.store.alerts import Alert
from bot.store.db import Database
from bot.store.promises import Count, Outcome, Place
from tests.contract.store.samples import NOW, TRACE, accept, answer, commit, inbound, later

SAID = replace(TRACE, decision="generate by extractive", lang="en")


async def asked(db: Database, name: str, *, at: float = 0, trace: ledger.TraceRecord = SAID) -> None:
    """One question of a conversation of its own, answered; the answer is its second message."""
    await accept(db, inbound("m1", conversation=name), at=later(at))
    await commit(db, replace(answer(1, conversation=name), trace=trace), at=later(at))


async def begun(db: Database) -> Place:
    return await db.write(partial(promises.place, now=later(-1)))


async def settled(db: Database, after: Place, *, before: float = 100, limit: int = 50) -> list[Outcome]:
    async with db.read() as session:
        return await promises.outcomes(session, "r1", after=after, before=later(before), limit=limit)


async def count(db: Database, found: list[Outcome], *, after: Place) -> bool:
    return await db.write(lambda session: promises.count(session, "r1", found, NOW, after=after))


async def counted(db: Database) -> list[Count]:
    async with db.read() as session:
        return await promises.counts(session, "r1")


async def test_a_thumb_down_and_a_person_asked_for_next_are_wrong(db: Database) -> None:
    start = await begun(db)
    for n, name in enumerate(("liked", "down", "silent", "person", "later")):
        await asked(db, name, at=n)
    await db.write(lambda session: ledger.vote(session, "liked", 2, "up", NOW))
    await db.write(lambda session: ledger.vote(session, "down", 2, "down", NOW))
    for name, questions in (("person", 1), ("later", 2)):  # the second one goes on with something else first
        for n in range(2, 2 + questions):
            await accept(db, inbound(f"m{n}", conversation=name))
            seq = 2 * n - 1
            reply = replace(answer(seq, conversation=name), trace=replace(TRACE, decision="handoff"))
            last = n == 1 + questions
            await commit(db, replace(reply, escalate="asked" if last else None))
    found = [outcome for outcome in await settled(db, start) if outcome.answered]
    assert [outcome.wrong for outcome in found] == [False, True, False, True, False]


async def test_answers_alone_count_that_this_release_gave_by_a_bound(db: Database) -> None:
    start = await begun(db)
    for n, trace in enumerate(
        (
            SAID,
            replace(SAID, release="another"),
            replace(SAID, bound=None),
            replace(SAID, decision="clarify by clarify"),
            replace(SAID, lang="zh"),
        )
    ):
        await asked(db, f"c{n}", at=n, trace=trace)
    found = await settled(db, start)
    assert [outcome.answered for outcome in found] == [True, False, False, False, True]
    assert await count(db, found, after=start)
    assert await counted(db) == [Count("en", 1, 0), Count("zh", 1, 0)]


async def test_what_is_too_new_waits_and_nothing_is_counted_twice(db: Database) -> None:
    start = await begun(db)
    assert await begun(db) == start
    for n in range(5):
        await asked(db, f"c{n}", at=n)
    first = await settled(db, start, before=3, limit=2)
    assert len(first) == 2
    assert len(await settled(db, start, before=3)) == 3
    done = await asyncio.gather(*(count(db, first, after=start) for _ in range(4)))
    assert sorted(done) == [False, False, False, True]
    assert await counted(db) == [Count("en", 2, 0)]
    place = await begun(db)
    assert place == first[-1].place
    rest = await settled(db, place)
    assert len(rest) == 3
    assert await count(db, rest, after=place)
    assert await counted(db) == [Count("en", 5, 0)]
    assert await settled(db, await begun(db)) == []


async def test_an_alert_is_raised_once(db: Database) -> None:
    about = {"answered": 100, "wrong": 20}
    made = await asyncio.gather(
        *(
            db.write(lambda session: alerts.open_alert(session, "promise", "r1 zh", about, now=NOW))
            for _ in range(3)
        )
    )
    assert sorted(made) == [False, False, True]
    assert await db.write(lambda session: alerts.open_alert(session, "promise", "r2 zh", {}, now=later(1)))
    async with db.read() as session:
        newest, oldest = await alerts.alerts(session, "promise")
        assert await alerts.alerts(session, "budget") == []
    assert newest.subject == "r2 zh"
    assert oldest == Alert("r1 zh", about, NOW)
