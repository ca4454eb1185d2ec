"""A whole engine around a scripted mind: real store, real lanes, real bus, no model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.definition.defaults import RESPONSES
from bot.domain.decision import Candidate, IntentScore
from bot.domain.policy import Policy
from bot.engine.desk import Desk, Limits
from bot.engine.gateway import EngineGateway
from bot.engine.lanes import Lanes
from bot.engine.purse import Purse
from bot.engine.turn import take_turn
from bot.events import LocalBus
from bot.inference.generator import Generator
from bot.inference.reader import Reader
from bot.inference.understanding import Ask, Live, Understanding
from bot.store.db import Database
from bot.testing import ScriptedGenerator
from connectors.port import Frame, Inbound, Profile
from retrieval.testing import HashEncoder
from retrieval.types import Entry, Hit
from tests.indexed import indexed
from training.apply import Calibrator, Heads
from training.fit import fit_head

ENTRIES = (
    Entry(
        "id-fee",
        "fee",
        "en",
        "What does a card cost?",
        "A card costs 10 yuan. Damaged cards are free.",
        "Card fee",
    ),
    Entry("id-time", "time", "en", "How long does a card take?", "A card takes five days.", "Card time"),
)
BY_ID = {entry.id: entry for entry in ENTRIES}


class Voice:
    languages = ("zh", "en")

    def name(self, lang: str) -> str:
        return {"zh": "小客", "en": "Kay"}[lang]

    def persona(self, lang: str) -> str:
        return {"zh": "", "en": "You are short and friendly."}[lang]

    def response(self, name: str, lang: str) -> tuple[str, ...]:
        return RESPONSES[name][lang]


@dataclass
class ScriptedMind:
    """Understands what it is told to: text -> candidates or an error. Waits for `gate` where there is one."""

    live: Live
    script: dict[str, object] = field(default_factory=dict)
    gate: asyncio.Event | None = None
    asked: list[Ask] = field(default_factory=list)

    def current(self) -> Live:
        return self.live

    async def understand(self, live: Live, ask: Ask, *, deadline: float) -> Understanding:
        self.asked.append(ask)
        if self.gate is not None:
            await self.gate.wait()
        told = self.script.get(ask.text, ())
        if isinstance(told, Exception):
            raise told
        if isinstance(told, Understanding):
            return told
        if isinstance(told, str):
            return Understanding((IntentScore(told, 0.9),), (), (), contextual=False)
        return understanding(told)  # type: ignore[arg-type]


def understanding(pairs: Sequence[tuple[str, float]]) -> Understanding:
    candidates = tuple(Candidate(i, BY_ID[i].key, None, c) for i, c in pairs)
    hits = tuple(Hit(BY_ID[i], c, c, c, BY_ID[i].question) for i, c in pairs)
    return Understanding((IntentScore("fees", 0.8),), candidates, hits, contextual=False)


@dataclass(repr=False)  # Python asks each task for its result's, and this one holds whole heads
class Engine:
    desk: Desk
    mind: ScriptedMind
    lanes: Lanes
    gateway: EngineGateway

    async def say(
        self, text: str, *, choice: str | None = None, id: str = "m1", conversation: str = "c1"
    ) -> int:
        inbound = Inbound("web", conversation, id, conversation, text, choice, "en")
        return (await self.gateway.receive(inbound)).seq

    async def exchange(self, text: str, *, choice: str | None = None, id: str = "m1") -> list[Frame]:
        """Send, wait until the lane is empty, and give every frame that was shown."""
        frames: list[Frame] = []
        async with self.gateway.subscribe("c1") as stream:
            listening = asyncio.create_task(collect(stream, frames))
            await self.say(text, choice=choice, id=id)
            await self.lanes.idle()
            await asyncio.sleep(0)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        return frames


async def collect(stream: AsyncIterator[Frame], frames: list[Frame]) -> None:
    async for frame in stream:
        frames.append(frame)


@pytest.fixture
def generator() -> Generator:
    return ScriptedGenerator("A card costs 10 yuan.", " Damaged cards are free. [1]")


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
async def engine(tmp_path: Path, generator: Generator, limits: Limits) -> AsyncIterator[Engine]:
    store = Database(f"sqlite:///{tmp_path / 'kefu.db'}")
    await store.open()
    mind = ScriptedMind(await asyncio.to_thread(live, tmp_path))
    engine = assemble(store, mind, generator, limits=limits)
    yield engine
    await engine.lanes.close(patience=1)
    await store.close()


def assemble(store: Database, mind: ScriptedMind, generator: Generator, *, limits: Limits) -> Engine:
    desk = Desk(
        store,
        mind,
        generator,
        Voice(),
        LocalBus(),
        SystemClock(),
        Policy(),
        limits,
        Purse(store, SystemClock()),
    )
    lanes = Lanes(lambda conversation, seq: take_turn(desk, conversation, seq))
    profile = Profile({"zh": "小客", "en": "Kay"}, ("zh", "en"), {"zh": "您好", "en": "Hello"})
    return Engine(desk, mind, lanes, EngineGateway(desk, lanes, profile))


def live(place: Path) -> Live:
    phrases = [phrase for entry in ENTRIES for phrase in entry.phrases]
    bundle, vectors = indexed(place / "bundle", ENTRIES, phrases)
    head = fit_head(vectors, ["fees", "times"])
    ones = vectors[0] * 0 + 1
    heads = Heads("heads", head, head, Calibrator(ones, ones, ones, ones[:3]))
    return Live("release", Reader(HashEncoder()), heads, bundle, dict(BY_ID))
