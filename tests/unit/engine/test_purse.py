"""What generators take is counted whatever becomes of the answer; a day's budget ends with stored answers."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from bot.engine.lanes import Lanes
from bot.engine.purse import Budget, Purse
from bot.engine.turn import take_turn
from bot.errors import GeneratorError
from bot.inference.generator import Generator
from bot.observer import Generation
from bot.store import alerts, ledger, spending
from bot.store.spending import Taken
from bot.testing import FakeClock, ScriptedGenerator, ScriptedVerifier
from tests.unit.engine.conftest import ENTRIES, Engine

ASKED = Generation("host:1", "m1", "done", 90, 10, 0.1, cost=250_000)
WORDS = "A card costs 10 yuan. [1]"
STORED = f"{ENTRIES[0].answer} [1]"


def with_purse(engine: Engine, generator: Generator, budget: Budget, clock: FakeClock) -> Engine:
    desk = replace(
        engine.desk, generator=generator, purse=Purse(engine.desk.store, clock, budget), clock=clock
    )
    lanes = Lanes(lambda conversation, seq: take_turn(desk, conversation, seq))
    gateway = type(engine.gateway)(desk, lanes, engine.gateway.profile())
    engine.mind.script["fee?"] = [("id-fee", 0.9)]
    return Engine(desk, engine.mind, lanes, gateway)


async def answered(engine: Engine, id: str) -> tuple[str, ledger.TraceRecord]:
    """What was said to "fee?", and why."""
    seq = await engine.say("fee?", id=id)
    await engine.lanes.idle()
    async with engine.desk.store.read() as session:
        *_, said = await ledger.history_after(session, "c1", seq)
        trace = await ledger.trace(session, "c1", seq)
    assert trace is not None
    return said.text, trace


async def today(engine: Engine) -> Taken:
    async with engine.desk.store.read() as session:
        return await spending.of_day(session, engine.desk.clock.now().date())


async def test_an_answer_says_who_gave_it_and_what_it_took(engine: Engine) -> None:
    engine = with_purse(engine, ScriptedGenerator(WORDS, takes=ASKED), Budget(), FakeClock())
    said, trace = await answered(engine, "m1")
    assert said == WORDS
    assert trace.decision == "generate by scripted:m1"
    assert (trace.prompt_tokens, trace.completion_tokens, trace.cost) == (90, 10, 250_000)
    assert await today(engine) == Taken(1, 90, 10, 250_000)
    await engine.lanes.close(patience=1)


async def test_what_failed_is_counted_too(engine: Engine) -> None:
    broken = ScriptedGenerator("A card", error=GeneratorError("Broken."), takes=ASKED)
    engine = with_purse(engine, broken, Budget(), FakeClock())
    said, trace = await answered(engine, "m1")
    assert said == STORED
    assert trace.cost == 250_000
    assert (await today(engine)).requests == 1
    await engine.lanes.close(patience=1)


@pytest.mark.parametrize("budget", [Budget(tokens=200), Budget(cost=Decimal("0.5"))], ids=("tokens", "cost"))
async def test_when_a_day_is_used_up_stored_answers_are_said_until_the_next(
    engine: Engine, budget: Budget, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "bot.engine.purse")
    clock, generator = FakeClock(), ScriptedGenerator(WORDS, takes=ASKED)
    engine = with_purse(engine, generator, budget, clock)
    said = [await answered(engine, f"m{n}") for n in range(4)]
    assert [text for text, _ in said] == [WORDS, WORDS, STORED, STORED]
    assert said[2][1].decision == "generate by stored: the day's budget is used up"
    assert said[2][1].cost is None
    assert len(generator.prompts) == 2
    async with engine.desk.store.read() as session:
        [alert] = await alerts.alerts(session, "budget")
    assert (alert.subject, alert.about) == ("2026-01-05", {"tokens": 200, "cost": "0.5"})
    assert len(caplog.records) == 1
    clock.advance(timedelta(days=1).total_seconds())
    assert (await answered(engine, "m9"))[0] == WORDS
    await engine.lanes.close(patience=1)


async def test_a_verifier_that_costs_is_counted_and_not_asked_when_a_day_is_used_up(engine: Engine) -> None:
    """Then the bot decides without it."""
    for takes, asked, taken in ((ASKED, 1, Taken(1, 90, 10, 250_000)), (None, 2, Taken(1, 90, 10, 250_000))):
        verifier = ScriptedVerifier(3.0, takes=takes)
        purse = Purse(engine.desk.store, FakeClock(), Budget(tokens=100))
        desk = replace(engine.desk, verifier=verifier, purse=purse)
        lanes = Lanes(partial(take_turn, desk))
        engine.mind.script["fee?"] = [("id-fee", 0.6)]
        one = Engine(desk, engine.mind, lanes, type(engine.gateway)(desk, lanes, engine.gateway.profile()))
        said = [await answered(one, f"{takes}{n}") for n in range(2)]
        assert [text for text, _ in said] == [STORED, STORED]
        assert [trace.cost for _, trace in said] == [takes and takes.cost, None]
        assert [trace.prompt_tokens for _, trace in said] == [takes and takes.prompt_tokens, None]
        assert len(verifier.asked) == asked
        async with desk.store.read() as session:
            assert await spending.of_day(session, purse._clock.now().date()) == taken
        await lanes.close(patience=1)
