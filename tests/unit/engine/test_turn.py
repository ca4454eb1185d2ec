"""One message's way, with a scripted mind: what is committed, what is shown, and what happens when things fail."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.domain.policy import NEVER, Policy
from bot.engine.desk import Limits
from bot.engine.draft import WIDGET_ASKS
from bot.engine.sweep import sweep
from bot.engine.turn import take_turn
from bot.errors import Busy, GeneratorError, NotKnown, StoreError
from bot.inference.extractive import Extractive
from bot.inference.generator import Generator
from bot.store import escalations, ledger
from bot.store.session import Unit
from bot.testing import ScriptedGenerator
from connectors.errors import Refused
from connectors.port import Frame, Inbound, Message
from tests.unit.engine.conftest import Engine
from training.lesson import LessonHeads
from training.promise import Bound, Promise, Promised

ROOT = Path(__file__).resolve().parents[3]


def finals(frames: list[Frame]) -> list[Message]:
    return [f.message for f in frames if f.kind == "final" and f.message is not None]


async def test_an_answer_is_streamed_committed_and_traced(engine: Engine) -> None:
    engine.mind.script["fee?"] = [("id-fee", 0.9), ("id-time", 0.1)]
    frames = await engine.exchange("fee?")
    assert [f.kind for f in frames] == ["final", "read", "typing", "delta", "final", "typing"]
    question, answer = finals(frames)
    assert (question.seq, question.external_id, answer.seq, answer.role) == (1, "m1", 2, "bot")
    assert answer.text == "A card costs 10 yuan. Damaged cards are free. [1]"
    assert "".join(f.text for f in frames if f.kind == "delta") == answer.text
    assert [c.title for c in answer.citations] == ["What does a card cost?"]
    assert answer.rateable
    async with engine.desk.store.read() as session:
        assert (await ledger.history_after(session, "c1", 0))[1].text == answer.text
        trace = await ledger.trace(session, "c1", 1)
    assert trace is not None
    assert (trace.confidence, trace.release, [h["key"] for h in trace.hits]) == (
        0.9,
        "release/heads",
        ["fee", "time"],
    )
    assert trace.bound == Policy().answer


async def traced(engine: Engine, text: str, seq: int) -> ledger.TraceRecord:
    await engine.exchange(text, id=f"m{seq}")
    async with engine.desk.store.read() as session:
        trace = await ledger.trace(session, "c1", seq)
    assert trace is not None
    return trace


async def test_under_a_promise_the_bound_of_the_messages_language_decides(engine: Engine) -> None:
    heads = engine.mind.live.heads
    promised = Promised(Promise(), {"en": Bound(0.8, 400, answered=300)})
    kept = LessonHeads(heads.name, heads.intent, heads.topic, heads.calibrator, promised)
    engine.mind.live = replace(engine.mind.live, heads=kept)
    for text, sure in (("fee?", 0.79), ("how much, please?", 0.81), ("多少钱？", 0.99)):
        engine.mind.script[text] = [("id-fee", sure), ("id-time", 0.01)]
    found = [
        await traced(engine, text, seq)
        for text, seq in (("fee?", 1), ("how much, please?", 3), ("多少钱？", 5))
    ]
    assert [(trace.bound, trace.decision.partition(" ")[0]) for trace in found] == [
        (0.8, "clarify"),
        (0.8, "generate"),
        (NEVER, "clarify"),  # Chinese has no texts to promise anything by
    ]


async def test_a_greeting_is_held_against_no_bound(engine: Engine) -> None:
    engine.mind.script["hi"] = "greet"
    trace = await traced(engine, "hi", 1)
    assert (trace.confidence, trace.bound) == (0.9, None)


async def test_no_text_of_a_customer_stands_in_a_trace_or_a_log(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bot")
    engine.mind.script["my secret 4417"] = Busy("full")
    await engine.exchange("my secret 4417")
    async with engine.desk.store.read() as session:
        trace = await ledger.trace(session, "c1", 1)
    assert "4417" not in caplog.text
    assert "4417" not in str(trace)


async def test_the_same_message_twice_is_answered_once(engine: Engine) -> None:
    engine.mind.script["fee?"] = [("id-fee", 0.9)]
    first, second = await engine.say("fee?"), await engine.say("fee?")
    await engine.lanes.idle()
    assert first == second == 1
    assert await engine.gateway.last_seq("c1") == 2


async def test_two_close_answers_become_buttons_and_a_press_is_answered(engine: Engine) -> None:
    engine.mind.script["card?"] = [("id-fee", 0.5), ("id-time", 0.45)]
    [_, asked] = finals(await engine.exchange("card?"))
    labels = [button.label for button in asked.quick_replies]
    assert labels[:2] == ["Card fee", "Card time"]
    assert not asked.rateable
    [_, told] = finals(await engine.exchange("Card time", choice=asked.quick_replies[1].value, id="m2"))
    assert told.text == "A card takes five days. [1]"
    [_, sorry] = finals(await engine.exchange(labels[2], choice=asked.quick_replies[2].value, id="m3"))
    assert [b.value for b in sorry.quick_replies] == ["person"]


async def test_a_button_of_yesterdays_answer_is_refused_kindly(engine: Engine) -> None:
    [_, reply] = finals(await engine.exchange("Old", choice="entry:gone"))
    assert [b.value for b in reply.quick_replies] == ["person"]


async def test_asking_for_a_person_escalates_once(engine: Engine) -> None:
    engine.mind.script["a person please"] = "handoff"
    frames = await engine.exchange("a person please")
    assert [f.status for f in frames if f.kind == "status"] == ["waiting"]
    [_, again] = finals(await engine.exchange("Talk", choice="person", id="m2"))
    assert again.text in engine.desk.voice.response("handoff_already", "en")
    async with engine.desk.store.read() as session:
        waiting = await escalations.list_open(session, engine.desk.clock.now())
    assert [(case.conversation, case.reason) for case in waiting] == [("c1", "asked")]


@pytest.mark.parametrize("text", [*WIDGET_ASKS, "Talk to a person.", "转人工客服"])
async def test_the_words_of_a_button_for_a_person_need_no_understanding(engine: Engine, text: str) -> None:
    frames = await engine.exchange(text)
    assert [f.status for f in frames if f.kind == "status"] == ["waiting"]
    assert engine.mind.asked == []


def test_the_widget_says_what_the_engine_listens_for() -> None:
    words = (ROOT / "web" / "widget" / "strings.ts").read_text(encoding="utf-8")
    assert set(re.findall(r'personText: "(.+)"', words)) == set(WIDGET_ASKS)


async def test_a_fault_is_told_to_the_customer_and_the_next_message_works(engine: Engine) -> None:
    engine.mind.script |= {"boom": RuntimeError("bug"), "fee?": [("id-fee", 0.9)]}
    [_, sorry] = finals(await engine.exchange("boom"))
    assert sorry.text in engine.desk.voice.response("error", "en")
    [_, fine] = finals(await engine.exchange("fee?", id="m2"))
    assert fine.text.startswith("A card costs")


class TestGeneratorFails:
    @pytest.fixture
    def generator(self) -> Generator:
        return ScriptedGenerator("A card costs a mill", error=GeneratorError("broken"))

    async def test_what_was_shown_is_taken_back_and_the_stored_answer_said(self, engine: Engine) -> None:
        engine.mind.script["fee?"] = [("id-fee", 0.9)]
        frames = await engine.exchange("fee?")
        kinds = [f.kind for f in frames]
        assert kinds == ["final", "read", "typing", "delta", "withdraw", "final", "typing"]
        answer = finals(frames)[-1]
        assert (answer.text, answer.attempt) == ("A card costs 10 yuan. Damaged cards are free. [1]", 2)


class TestInPieces:
    @pytest.fixture
    def generator(self) -> Generator:
        return ScriptedGenerator("A card ", "costs 10 yuan.", " [1]")

    async def test_what_comes_at_once_is_shown_at_once(self, engine: Engine) -> None:
        engine.mind.script["fee?"] = [("id-fee", 0.9)]
        frames = await engine.exchange("fee?")
        assert [f.text for f in frames if f.kind == "delta"] == ["A card costs 10 yuan. [1]"]
        assert finals(frames)[-1].text == "A card costs 10 yuan. [1]"


class TestNotKnown:
    @pytest.fixture
    def generator(self) -> Generator:
        return ScriptedGenerator("I do", error=NotKnown("Nothing was found."))

    async def test_a_generator_that_does_not_know_is_believed(self, engine: Engine) -> None:
        """What comes nearest is one press away, and so is a person; nothing is said as an answer."""
        engine.mind.script["fee?"] = [("id-fee", 0.9)]
        frames = await engine.exchange("fee?")
        assert [f.kind for f in frames][3:5] == ["delta", "withdraw"]
        answer = finals(frames)[-1]
        assert answer.text in engine.desk.voice.response("refuse", "en")
        assert [reply.value for reply in answer.quick_replies] == ["entry:id-fee", "person"]
        assert not answer.rateable
        pressed = finals(await engine.exchange("Card fee", choice="entry:id-fee", id="m2"))[-1]
        assert pressed.text.startswith("A card costs 10 yuan.")


class TestSeveral:
    @pytest.fixture
    def generator(self) -> Generator:
        return Extractive()

    async def test_several_questions_are_answered_in_one_reply_with_both_sources(
        self, engine: Engine
    ) -> None:
        engine.mind.script["what is the fee?"] = [("id-fee", 0.9)]
        engine.mind.script["how long is the wait?"] = [("id-time", 0.9)]
        answer = finals(await engine.exchange("what is the fee? how long is the wait?"))[-1]
        fee = "A card costs 10 yuan. Damaged cards are free. [1]"
        assert answer.text == f"{fee} A card takes five days. [2]"
        assert [citation.mark for citation in answer.citations] == [1, 2]

    async def test_one_of_them_without_an_answer_leaves_it_to_the_whole_message(self, engine: Engine) -> None:
        engine.mind.script["what is the fee?"] = [("id-fee", 0.9)]
        engine.mind.script["what is the fee? how deep is the sea?"] = [("id-fee", 0.9), ("id-time", 0.0)]
        answer = finals(await engine.exchange("what is the fee? how deep is the sea?"))[-1]
        assert answer.text == "A card costs 10 yuan. Damaged cards are free. [1]"


class TestLate:
    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(turn_s=0.01)

    async def test_a_late_turn_is_announced_durably_and_still_answered(self, engine: Engine) -> None:
        engine.mind.gate = asyncio.Event()
        engine.mind.script["fee?"] = [("id-fee", 0.9)]
        async with engine.gateway.subscribe("c1") as frames:
            await engine.say("fee?")
            async for frame in frames:
                if frame.kind == "final" and frame.message and frame.message.role == "system":
                    break
        engine.mind.gate.set()
        await engine.lanes.idle()
        messages = await engine.gateway.history_after("c1", 0)
        assert [m.role for m in messages] == ["customer", "system", "bot"]
        assert messages[1].text in engine.desk.voice.response("late", "en")


async def test_once_a_person_holds_the_conversation_nothing_of_the_bots_comes_through(engine: Engine) -> None:
    engine.mind.gate = asyncio.Event()
    engine.mind.script["fee?"] = [("id-fee", 0.9)]
    await engine.say("fee?")
    now = engine.desk.clock.now()
    await engine.desk.store.write(lambda session: ledger.hold(session, "c1", "human", now=now))
    engine.mind.gate.set()
    await engine.lanes.idle()
    assert [m.role for m in await engine.gateway.history_after("c1", 0)] == ["customer"]


async def test_what_was_left_unanswered_is_taken_up_by_the_sweep(engine: Engine) -> None:
    engine.mind.script |= {"fee?": [("id-fee", 0.9)]}
    now = engine.desk.clock.now()
    message = Inbound("web", "c9", "x", "c9", "fee?", locale="en")
    await engine.desk.store.write(lambda session: ledger.accept(session, message, now))
    assert await sweep(engine.desk, engine.lanes) == 1
    await engine.lanes.idle()
    assert await engine.gateway.last_seq("c9") == 2
    assert await sweep(engine.desk, engine.lanes) == 0


async def test_a_sweep_takes_up_everything_in_order_however_much_it_is(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.engine.sweep.PAGE", 7)
    store, now = engine.desk.store, engine.desk.clock.now()
    for number in range(60):
        # Twelve conversations whose messages alternate; a clock that was set back must not turn them round.
        where, at = f"c{number % 12}", now - timedelta(seconds=number)
        message = Inbound("web", where, f"m{number}", where, "fee?", locale="en")
        await store.write(partial(ledger.accept, new=message, now=at))
    assert await sweep(engine.desk, engine.lanes) == 60
    await engine.lanes.idle()
    for number in range(12):
        async with store.read() as session:
            lines = (await ledger.context(session, f"c{number}", 100, limit=100)).messages
        assert [line.reply_to for line in lines if line.role == "bot"] == [1, 2, 3, 4, 5]
    assert await sweep(engine.desk, engine.lanes) == 0


async def test_a_message_that_was_promised_an_answer_is_swept_too(engine: Engine) -> None:
    now = engine.desk.clock.now()
    message = Inbound("web", "c9", "x", "c9", "fee?", locale="en")
    await engine.desk.store.write(lambda session: ledger.accept(session, message, now))
    notice = ledger.Reply("c9", 1, 0, "t", (ledger.Draft("One moment.", role="system"),), late=True)
    await engine.desk.store.write(lambda session: ledger.commit_reply(session, notice, now))
    assert await sweep(engine.desk, engine.lanes) == 1
    await engine.lanes.idle()
    assert [m.role for m in await engine.gateway.history_after("c9", 0)] == ["customer", "system", "bot"]


async def test_an_answer_that_cannot_be_stored_now_is_stored_later_and_is_no_apology(engine: Engine) -> None:
    engine.mind.script["fee?"] = [("id-fee", 0.9)]
    real, troubles = engine.desk.store.write, [StoreError("full", code="disk_full")] * 2

    async def write(unit: Unit[Any]) -> Any:
        if engine.mind.asked and troubles:
            raise troubles.pop()
        return await real(unit)

    engine.desk.store.write = write  # type: ignore[method-assign]
    [_, answer] = finals(await engine.exchange("fee?"))
    assert answer.text == "A card costs 10 yuan. Damaged cards are free. [1]"
    assert troubles == []


async def test_a_follow_up_is_asked_with_the_question_before(engine: Engine) -> None:
    engine.mind.script["How much is a new card?"] = [("id-fee", 0.9)]
    await engine.exchange("How much is a new card?")
    await engine.exchange("and how long does it take?", id="m2")
    ask = engine.mind.asked[-1]
    assert ask.previous == "How much is a new card?"
    assert ask.answered_key == "fee"


async def test_votes_go_to_answers_only(engine: Engine) -> None:
    engine.mind.script |= {"fee?": [("id-fee", 0.9)]}
    await engine.exchange("fee?")
    await engine.gateway.feedback("c1", 2, "up")
    assert (await engine.gateway.history_after("c1", 1))[0].feedback == "up"
    await engine.gateway.feedback("c1", 2, None)
    assert (await engine.gateway.history_after("c1", 1))[0].feedback is None
    with pytest.raises(Refused):
        await engine.gateway.feedback("c1", 1, "up")


async def test_a_conversation_belongs_to_its_channel(engine: Engine) -> None:
    await engine.say("hello")
    with pytest.raises(Refused, match="no such conversation"):
        await engine.gateway.receive(Inbound("other", "c1", "x", "c1", "hello"))


@pytest.mark.parametrize(
    ("channel", "audience"), [("web", frozenset({"vip"})), ("api", frozenset()), ("terminal", None)]
)
async def test_understanding_is_told_who_asks(
    engine: Engine, channel: str, audience: frozenset[str] | None
) -> None:
    """A channel that names nobody is for everybody; the house itself hears all."""
    desk = replace(engine.desk, audiences={"web": frozenset({"vip"})})
    message = Inbound(channel, "c1", "m1", "c1", "fee?", locale="en")
    await desk.store.write(lambda session: ledger.accept(session, message, desk.clock.now()))
    await take_turn(desk, "c1", 1)
    assert [ask.audience for ask in engine.mind.asked] == [audience]


async def test_an_answer_in_another_language_says_so_first(engine: Engine) -> None:
    engine.mind.script["多少钱？"] = [("id-fee", 0.9)]
    engine.mind.script["fee?"] = [("id-fee", 0.9)]
    for text, id, first in (
        ("多少钱？", "m1", "这部分资料只有英文："),
        ("fee?", "m2", "A card costs 10 yuan."),
    ):
        *_, answer = finals(await engine.exchange(text, id=id))
        assert answer.text.startswith(first)
        assert answer.text.endswith("Damaged cards are free. [1]")
