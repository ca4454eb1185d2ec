"""What answers follows the database, whatever fails on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.clock import SystemClock
from bot.engine.follow import RETRY_RELEASE_S, RETRY_S, Follower, read_wanted
from bot.engine.knowledge import sync_folder
from bot.errors import InferenceError
from bot.inference.bundles import Knowledge
from bot.inference.host import Trouble
from bot.store import releases
from bot.store.db import Database
from bot.testing import FakeClock
from retrieval.types import Entry

FEE = Entry("", "fee", "en", "What does a card cost?", "A card costs 10 yuan.")
TIME = Entry("", "time", "en", "How long does a card take?", "Five days.")
NOTE = releases.Note("root")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'kefu.db'}")
    await database.open()
    yield database
    await database.close()


@dataclass
class Host:
    """Serves what it is told to: raises each of `troubles` first, and waits at the gate of a release that has one."""

    name: str = "base"
    revision: int = 0
    answers: list[str] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    began: list[str] = field(default_factory=list)
    trouble: Trouble | None = None

    @property
    def bundle(self) -> Host:
        return self

    def current(self) -> Any:
        return self

    async def refresh(self, knowledge: Knowledge) -> Any:
        await self._work("refresh")
        self._take(knowledge)
        return self

    async def switch(self, release: str, read: Callable[[], Awaitable[Knowledge]]) -> Any:
        await self._work(release)
        self._take(await read())
        self.name = release
        return self

    async def _work(self, what: str) -> None:
        self.began.append(what)
        if self.troubles:
            raise self.troubles.pop()
        if what in self.gates:
            await self.gates[what].wait()

    def _take(self, knowledge: Knowledge) -> None:
        self.revision, self.answers = knowledge.revision, [entry.key for entry in knowledge.entries]


async def follower_of(store: Database, host: Host, clock: FakeClock | None = None) -> Follower:
    return Follower(store, host, clock=clock or FakeClock(), wanted=await read_wanted(store))


async def looked(follower: Follower) -> None:
    await follower.look()
    await follower.settled()


async def promote(store: Database, name: str) -> None:
    live = (await read_wanted(store)).release
    now = SystemClock().now()
    await store.write(lambda session: releases.promote(session, name, now, instead=live, note=NOTE))


async def know(store: Database, *entries: Entry) -> None:
    await sync_folder(store, [("knowledge/a.jsonl", entry) for entry in entries], clock=SystemClock())


async def test_newer_knowledge_goes_live_though_a_first_try_fails(
    store: Database, caplog: pytest.LogCaptureFixture
) -> None:
    host, clock = Host(troubles=[OSError("No space left on device")]), FakeClock()
    follower = await follower_of(store, host, clock)
    await know(store, FEE)
    await looked(follower)
    await looked(follower)
    assert host.began == ["refresh"]
    assert "No space left" in caplog.text
    clock.advance(RETRY_S)
    await looked(follower)
    assert host.answers == ["fee"]
    await looked(follower)
    assert host.began == ["refresh", "refresh"]


async def test_what_is_promoted_goes_live_and_back(store: Database) -> None:
    host = Host()
    follower = await follower_of(store, host)
    await promote(store, "tuned")
    await looked(follower)
    await looked(follower)
    assert host.began == ["tuned"]
    now = SystemClock().now()
    await store.write(lambda session: releases.roll_back(session, now, note=NOTE))
    await looked(follower)
    assert (host.name, host.began) == ("base", ["tuned", "base"])


async def test_a_release_that_cannot_serve_is_tried_again_after_a_rest_or_when_another_one_is_promoted(
    store: Database,
) -> None:
    clock = FakeClock()
    host = Host(troubles=[InferenceError("damaged"), InferenceError("damaged")])
    follower = await follower_of(store, host, clock)
    await promote(store, "tuned")
    await looked(follower)
    await looked(follower)
    assert host.began == ["tuned"]
    clock.advance(RETRY_RELEASE_S)
    await looked(follower)
    await looked(follower)
    assert host.began == ["tuned", "tuned"]
    await promote(store, "other")
    await looked(follower)
    assert (host.name, host.began[2:]) == ("other", ["other"])


async def test_a_release_that_could_not_serve_at_the_start_rests_first(store: Database) -> None:
    await promote(store, "tuned")
    host, clock = Host(trouble=Trouble("tuned", "damaged")), FakeClock()
    follower = await follower_of(store, host, clock)
    await looked(follower)
    assert host.began == []
    clock.advance(RETRY_RELEASE_S)
    await looked(follower)
    assert host.name == "tuned"


async def test_of_two_promotions_the_last_one_wins(store: Database) -> None:
    host = Host(gates={"first": asyncio.Event()})
    follower = await follower_of(store, host)
    await promote(store, "first")
    await follower.look()
    await asyncio.sleep(0)
    assert host.began == ["first"]
    await promote(store, "second")
    await looked(follower)
    host.gates["first"].set()
    await looked(follower)
    assert (host.name, host.began) == ("second", ["first", "second"])


async def test_a_promotion_that_is_taken_back_before_it_is_live_is_dropped(store: Database) -> None:
    host = Host(gates={"tuned": asyncio.Event()})
    follower = await follower_of(store, host)
    await promote(store, "tuned")
    await follower.look()
    await asyncio.sleep(0)
    await promote(store, "base")
    await looked(follower)
    host.gates["tuned"].set()
    await looked(follower)
    assert (host.name, host.began) == ("base", ["tuned"])


async def test_knowledge_is_refreshed_while_a_switch_is_under_way(store: Database) -> None:
    host = Host(gates={"tuned": asyncio.Event()})
    follower = await follower_of(store, host)
    await promote(store, "tuned")
    await follower.look()
    await know(store, FEE, TIME)
    await follower.look()
    async with asyncio.timeout(10):
        await follower._refresh.ended()
    assert (host.name, sorted(host.answers)) == ("base", ["fee", "time"])
    await know(store, FEE)
    host.gates["tuned"].set()
    await looked(follower)
    assert (host.name, host.answers) == ("tuned", ["fee"])


async def test_a_release_is_promoted_while_a_refresh_is_under_way(store: Database) -> None:
    host = Host(gates={"refresh": asyncio.Event()})
    follower = await follower_of(store, host)
    await know(store, FEE)
    await follower.look()
    await promote(store, "tuned")
    await follower.look()
    async with asyncio.timeout(10):
        await follower._switch.ended()
    assert (host.name, host.answers) == ("tuned", ["fee"])
    host.gates["refresh"].set()
    await follower.settled()


async def test_a_stop_breaks_off_what_is_under_way(store: Database) -> None:
    host = Host(gates={"tuned": asyncio.Event(), "refresh": asyncio.Event()})
    follower = await follower_of(store, host)
    await know(store, FEE)
    await promote(store, "tuned")
    task = asyncio.create_task(follower.run(every=0))
    async with asyncio.timeout(10):
        while len(host.began) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (host.name, host.answers) == ("base", [])


async def test_a_database_that_was_away_is_looked_at_again(
    store: Database, caplog: pytest.LogCaptureFixture
) -> None:
    host = Host()
    follower = await follower_of(store, host)
    await promote(store, "tuned")
    await store.close()
    task = asyncio.create_task(follower.run(every=0, retry=0))
    async with asyncio.timeout(10):
        while "was not looked at" not in caplog.text:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await store.open()
        while host.name != "tuned":  # noqa: ASYNC110
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
