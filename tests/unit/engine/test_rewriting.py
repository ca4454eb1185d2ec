"""A follow-up that is lost on the bot is said anew where somebody can, once, in time; else nothing changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.engine.desk import Limits
from bot.engine.lanes import Lanes
from bot.engine.purse import Budget, Purse
from bot.engine.turn import take_turn
from bot.errors import GeneratorError
from bot.inference.generator import Bill, FollowUp
from bot.observer import Generation
from bot.store import ledger, spending
from tests.unit.engine.conftest import Engine

TOOK = Generation("host:1", "m1", "done", 50, 10, 0.1)


class ScriptedRewriter:
    def __init__(self, says: str | GeneratorError) -> None:
        self._says = says
        self.asked: list[FollowUp] = []

    async def rewrite(self, asked: FollowUp, *, deadline: float, bill: Bill | None = None) -> str:
        assert 0 < deadline < 8
        self.asked.append(asked)
        if bill is not None:
            bill.append(TOOK)
        if isinstance(self._says, GeneratorError):
            raise self._says
        return self._says


def with_rewriter(
    engine: Engine, rewriter: ScriptedRewriter, *, budget: Budget | None = None, limits: Limits | None = None
) -> Engine:
    purse = Purse(engine.desk.store, engine.desk.clock, budget or Budget())
    desk = replace(engine.desk, rewriter=rewriter, purse=purse, limits=limits or engine.desk.limits)
    lanes = Lanes(lambda conversation, seq: take_turn(desk, conversation, seq))
    gateway = type(engine.gateway)(desk, lanes, engine.gateway.profile())
    engine.mind.script |= {"fee?": [("id-fee", 0.9)], "How long does a card take?": [("id-time", 0.9)]}
    return Engine(desk, engine.mind, lanes, gateway)


async def after_a_question(engine: Engine, text: str) -> ledger.TraceRecord:
    """Why `text` was answered so, behind a question that was."""
    await engine.exchange("fee?")
    await engine.exchange(text, id="m2")
    async with engine.desk.store.read() as session:
        trace = await ledger.trace(session, "c1", 3)
    assert trace is not None
    return trace


async def test_a_lost_follow_up_is_said_anew_and_answered(engine: Engine) -> None:
    rewriter = ScriptedRewriter("How long does a card take?")
    engine = with_rewriter(engine, rewriter)
    trace = await after_a_question(engine, "and how long?")
    assert trace.decision.startswith("generate")
    assert [hit["key"] for hit in trace.hits] == ["time"]
    assert (trace.contextual, "rewrite" in trace.timings) == (True, True)
    [asked] = rewriter.asked
    assert (asked.question, [turn.question for turn in asked.history]) == ("and how long?", ["fee?"])
    async with engine.desk.store.read() as session:
        taken = await spending.of_day(session, engine.desk.clock.now().date())
    assert (taken.requests, taken.tokens) == (1, 60)
    assert (trace.prompt_tokens, trace.completion_tokens, trace.cost) == (50, 10, 0)
    await engine.lanes.close(patience=1)


@pytest.mark.parametrize(
    "says",
    ["What is the weather?", "How long do 7 cards take?", GeneratorError("Broken.")],
    ids=("still lost", "a number that nobody said", "failed"),
)
async def test_where_nothing_better_comes_of_it_the_first_decision_stands(
    engine: Engine, says: str | GeneratorError
) -> None:
    engine = with_rewriter(engine, ScriptedRewriter(says))
    trace = await after_a_question(engine, "and how long?")
    assert (trace.decision, trace.contextual) == ("answer by response", False)
    await engine.lanes.close(patience=1)


async def test_nobody_is_asked_about_what_stands_by_itself(engine: Engine) -> None:
    rewriter = ScriptedRewriter("How long does a card take?")
    engine = with_rewriter(engine, rewriter)
    await engine.exchange("and how long?")  # behind nothing
    await after_a_question(
        engine, "I would like to open a savings account for my daughter, who goes to school now"
    )
    assert rewriter.asked == []
    await engine.lanes.close(patience=1)


async def test_nobody_is_asked_without_time_or_money(engine: Engine) -> None:
    for budget, limits in ((Budget(tokens=0), Limits()), (Budget(), Limits(turn_s=1.0))):
        rewriter = ScriptedRewriter("How long does a card take?")
        one = with_rewriter(engine, rewriter, budget=budget, limits=limits)
        await one.exchange("fee?", id=f"a-{limits.turn_s}")
        await one.exchange("and how long?", id=f"b-{limits.turn_s}")
        assert rewriter.asked == []
        await one.lanes.close(patience=1)
