"""What was composed before is said again to who asks the same, and to nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from bot.engine.answers import EACH, Answers, Asked
from bot.errors import GeneratorError
from bot.inference.generator import Generator
from bot.inference.understanding import Live
from bot.observer import Generation
from bot.store import ledger
from bot.testing import ScriptedGenerator
from retrieval.embed import Vectors
from retrieval.types import Entry
from tests.unit.engine.conftest import BY_ID, ENTRIES, Engine, understanding

ASKED = Generation("host:1", "m1", "done", 90, 10, 0.1)


def direction(degrees: float) -> Vectors:
    angle = np.deg2rad(degrees)
    return np.array([np.cos(angle), np.sin(angle)], dtype=np.float32)


def asked(
    live: Live, text: str, degrees: float = 0.0, *, lang: str = "en", of: Sequence[Entry] = ENTRIES[:1]
) -> Asked:
    return Asked.by(text, direction(degrees), live, of, lang=lang)


def test_the_same_question_finds_what_was_said(engine: Engine) -> None:
    live, answers = engine.mind.live, Answers()
    answers.keep(asked(live, "what does a card cost"), "Ten. [1]")
    assert answers.find(asked(live, "what does a card cost, please?", 5)) == "Ten. [1]"


@pytest.mark.parametrize(
    ("text", "degrees"),
    [("what does a card cost", 15), ("what do 2 cards cost", 1), ("what does a card not cost", 1)],
    ids=("far", "another number", "turned round"),
)
def test_another_question_finds_nothing(engine: Engine, text: str, degrees: float) -> None:
    live, answers = engine.mind.live, Answers()
    answers.keep(asked(live, "what does a card cost"), "Ten. [1]")
    assert answers.find(asked(live, text, degrees)) is None


def test_another_release_bundle_language_or_passage_finds_nothing(engine: Engine) -> None:
    live, answers = engine.mind.live, Answers()
    answers.keep(asked(live, "fee?"), "Ten. [1]")
    assert answers.find(asked(replace(live, name="newer"), "fee?")) is None
    assert answers.find(asked(live, "fee?", lang="zh")) is None
    assert answers.find(asked(live, "fee?", of=ENTRIES)) is None
    assert answers.find(asked(live, "fee?", of=ENTRIES[1:])) is None


def test_no_more_is_kept_than_was_said(engine: Engine) -> None:
    live, answers = engine.mind.live, Answers(kept=2)
    for n in range(EACH + 1):
        answers.keep(asked(live, "fee?", 40 * n), f"{n} [1]")
    assert answers.find(asked(live, "fee?", 0)) is None
    assert answers.find(asked(live, "fee?", 40 * EACH)) == f"{EACH} [1]"
    answers.keep(asked(live, "time?", of=ENTRIES[1:]), "Five. [1]")
    answers.keep(asked(live, "both?", of=ENTRIES), "All. [1]")
    assert answers.find(asked(live, "fee?", 40 * EACH)) is None


async def said(engine: Engine, conversation: str) -> tuple[str, str]:
    """The answer to "fee?", and who gave it."""
    await engine.say("fee?", id=f"m-{conversation}", conversation=conversation)
    await engine.lanes.idle()
    async with engine.desk.store.read() as session:
        *_, message = await ledger.history_after(session, conversation, 0)
        trace = await ledger.trace(session, conversation, 1)
    assert trace is not None
    return message.text, trace.decision


class TestTurn:
    @pytest.fixture
    def generator(self) -> Generator:
        return ScriptedGenerator("A card costs 10 yuan. [1]", takes=ASKED)

    async def test_two_customers_ask_and_a_generator_is_asked_once(self, engine: Engine) -> None:
        engine.mind.script["fee?"] = replace(understanding([("id-fee", 0.9)]), vector=direction(0))
        first, second = await said(engine, "c1"), await said(engine, "c2")
        assert first == ("A card costs 10 yuan. [1]", "generate by scripted:m1")
        assert second == (first[0], "generate by cache")
        assert isinstance(engine.desk.generator, ScriptedGenerator)
        assert len(engine.desk.generator.prompts) == 1

    async def test_what_leans_on_another_question_is_for_nobody_else(self, engine: Engine) -> None:
        seen = replace(understanding([("id-fee", 0.9)]), vector=direction(0), contextual=True)
        engine.mind.script["fee?"] = seen
        decisions = [(await said(engine, name))[1] for name in ("c1", "c2")]
        assert decisions == ["generate by scripted:m1"] * 2


class TestFailure:
    @pytest.fixture
    def generator(self) -> Generator:
        return ScriptedGenerator("A card", error=GeneratorError("Broken."), takes=ASKED)

    async def test_a_fallback_is_not_kept(self, engine: Engine) -> None:
        engine.mind.script["fee?"] = replace(understanding([("id-fee", 0.9)]), vector=direction(0))
        assert [(await said(engine, name))[1] for name in ("c1", "c2")] == ["generate by stored"] * 2
        assert BY_ID["id-fee"].answer in (await said(engine, "c3"))[0]
