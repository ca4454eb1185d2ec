"""As a turn's time runs out: a generator says all it may, then a sentence, then it is not asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.engine.desk import Desk, Limits
from bot.engine.purse import Purse
from bot.engine.turn import take_turn
from bot.inference.generator import MAX_SENTENCES
from bot.store import ledger
from bot.testing import FakeClock, ScriptedGenerator
from connectors.port import Inbound
from tests.unit.engine.conftest import ENTRIES, Engine

WORDS = "A card costs 10 yuan. [1]"
LIMITS = Limits(turn_s=8.0, by_channel={"phone": 3.0}, generator_s=6.0)


@pytest.fixture
def generator() -> ScriptedGenerator:
    return ScriptedGenerator(WORDS)


def at(engine: Engine, clock: FakeClock) -> Desk:
    engine.mind.script["fee?"] = [("id-fee", 0.9)]
    return replace(engine.desk, clock=clock, limits=LIMITS, purse=Purse(engine.desk.store, clock))


async def answered(
    desk: Desk, clock: FakeClock, *, waited: float, channel: str = "web"
) -> ledger.TraceRecord:
    """Why "fee?" was answered as it was, `waited` seconds after it was accepted."""
    accepted = clock.now() - timedelta(seconds=waited)
    message = Inbound(channel, "c1", "m1", "c1", "fee?", locale="en")
    await desk.store.write(lambda session: ledger.accept(session, message, accepted))
    await take_turn(desk, "c1", 1)
    async with desk.store.read() as session:
        trace = await ledger.trace(session, "c1", 1)
    assert trace is not None
    return trace


@pytest.mark.parametrize(
    ("waited", "channel", "sentences"),
    [
        (0, "web", MAX_SENTENCES),
        (4.6, "web", MAX_SENTENCES),
        (4.8, "web", 1),
        (7.1, "web", 1),
        (0, "phone", 1),
    ],
)
async def test_what_time_is_left_decides_how_much_is_said(
    engine: Engine, generator: ScriptedGenerator, waited: float, channel: str, sentences: int
) -> None:
    clock = FakeClock()
    trace = await answered(at(engine, clock), clock, waited=waited, channel=channel)
    assert trace.decision == "generate by scripted"
    assert [prompt.sentences for prompt in generator.prompts] == [sentences]


@pytest.mark.parametrize("waited", [7.3, 90_000])
async def test_without_time_the_stored_answer_comes_at_once(
    engine: Engine, generator: ScriptedGenerator, waited: float
) -> None:
    """Nobody is told to wait for what is there."""
    clock = FakeClock()
    desk = at(engine, clock)
    trace = await answered(desk, clock, waited=waited)
    assert trace.decision == "generate by stored: no time is left for a generator"
    assert generator.prompts == []
    async with desk.store.read() as session:
        _, said = await ledger.history_after(session, "c1", 0)
    assert (said.role, said.text) == ("bot", f"{ENTRIES[0].answer} [1]")


async def test_who_was_told_to_wait_gets_all_that_may_be_said(
    engine: Engine, generator: ScriptedGenerator
) -> None:
    clock = FakeClock()
    desk = at(engine, clock)
    message = Inbound("web", "c1", "m1", "c1", "fee?", locale="en")
    await desk.store.write(lambda session: ledger.accept(session, message, clock.now()))
    late = ledger.Reply("c1", 1, 0, "t-late", (ledger.Draft("Later.", role="system"),), late=True)
    await desk.store.write(lambda session: ledger.commit_reply(session, late, clock.now()))
    clock.advance(3600)
    await take_turn(desk, "c1", 1)
    assert [prompt.sentences for prompt in generator.prompts] == [MAX_SENTENCES]
