"""While a model thinks or a channel shows something, no session of the store is held: a slow one would keep others
from reading, and on PostgreSQL a connection from the pool."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.engine.desk import Limits
from bot.inference.door import Door
from bot.inference.generator import Bill, Prompt
from bot.inference.understanding import Ask, Live, Understanding
from bot.store.db import Database
from bot.store.session import Session, T, Unit
from bot.testing import ScriptedGenerator
from connectors.port import Frame
from retrieval.embed import Vectors
from retrieval.testing import HashEncoder
from tests.unit.engine.conftest import Engine, ScriptedMind, assemble, live


class Watched(Database):
    """`held`: sessions and units that are open now."""

    held = 0

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Session]:
        async with super().read() as session:
            self.held += 1
            try:
                yield session
            finally:
                self.held -= 1

    async def look(self, unit: Unit[T]) -> T:
        self.held += 1
        try:
            return await super().look(unit)
        finally:
            self.held -= 1

    async def write(self, unit: Unit[T]) -> T:
        self.held += 1
        try:
            return await super().write(unit)
        finally:
            self.held -= 1


class Calls:
    """Who was called, and how many sessions were held then."""

    def __init__(self, store: Watched) -> None:
        self.store = store
        self.seen: dict[str, list[int]] = {}

    def note(self, who: str) -> None:
        self.seen.setdefault(who, []).append(self.store.held)


class Encoder(HashEncoder):
    def __init__(self, calls: Calls) -> None:
        super().__init__()
        self._calls = calls

    def encode(self, texts: Sequence[str]) -> Vectors:
        self._calls.note("encoder")
        return super().encode(texts)


class Mind(ScriptedMind):
    """Understands what it is told to, behind the real door."""

    def __init__(self, live: Live, door: Door) -> None:
        super().__init__(live)
        self.door = door

    async def understand(self, live: Live, ask: Ask, *, deadline: float) -> Understanding:
        await self.door.encode([ask.text], deadline=deadline)
        return await super().understand(live, ask, deadline=deadline)


class Generator(ScriptedGenerator):
    """Thinks before each piece, long enough for the check of who holds the conversation."""

    def __init__(self, calls: Calls) -> None:
        super().__init__("A card costs 10 yuan.", " Damaged cards are free. [1]")
        self._calls = calls

    async def stream(
        self, prompt: Prompt, *, deadline: float, bill: Bill | None = None
    ) -> AsyncGenerator[str, None]:
        async for piece in super().stream(prompt, deadline=deadline, bill=bill):
            self._calls.note("generator")
            await asyncio.sleep(0.21)
            self._calls.note("generator")
            yield piece


@pytest.fixture
async def watched(store_url: str, tmp_path: Path) -> AsyncIterator[tuple[Engine, Calls]]:
    store = Watched(store_url)
    await store.open()
    calls = Calls(store)
    door = Door(Encoder(calls))
    mind = Mind(await asyncio.to_thread(live, tmp_path), door)
    engine = assemble(store, mind, Generator(calls), limits=Limits())
    yield engine, calls
    await engine.lanes.close(patience=5)
    await door.close()
    await store.close()


async def test_models_and_channels_are_called_with_no_session_held(
    watched: tuple[Engine, Calls], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, calls = watched
    publish = engine.desk.bus.publish

    def show(frame: Frame) -> None:
        calls.note(f"channel: {frame.kind}")
        publish(frame)

    monkeypatch.setattr(engine.desk.bus, "publish", show)
    engine.mind.script["What does a card cost?"] = [("id-fee", 0.9)]
    await engine.say("What does a card cost?")
    await engine.lanes.idle()
    assert {"encoder", "generator", "channel: delta", "channel: final"} <= set(calls.seen)
    assert {who: max(held) for who, held in calls.seen.items()} == dict.fromkeys(calls.seen, 0)
