"""Where the bot is not sure, what a verifier makes of the answer counts. Nobody is asked where it is sure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.definition.defaults import RESPONSES
from bot.domain.decision import CLOSE, PARTLY, SEVERAL, UNANSWERED, Candidate, Generate, decide
from bot.engine.desk import Limits
from bot.engine.evidence import Before, Heard, Scene, weigh
from bot.engine.lanes import Lanes
from bot.engine.record import kind
from bot.engine.thought import Thought
from bot.engine.turn import take_turn
from bot.engine.verifying import SURE, verified
from bot.inference.answered import verified_by
from bot.inference.understanding import Live
from bot.store import ledger
from bot.testing import ScriptedVerifier
from tests.unit.engine.conftest import ENTRIES, Engine, understanding

ASKED = "what would you charge for a card with my own picture on it"
UNSURE = {ASKED: [("id-fee", 0.6), ("id-time", 0.01)]}


def with_verifier(engine: Engine, verifier: ScriptedVerifier, *, limits: Limits | None = None) -> Engine:
    desk = replace(engine.desk, verifier=verifier, limits=limits or engine.desk.limits)
    lanes = Lanes(lambda conversation, seq: take_turn(desk, conversation, seq))
    gateway = type(engine.gateway)(desk, lanes, engine.gateway.profile())
    engine.mind.script |= UNSURE
    return Engine(desk, engine.mind, lanes, gateway)


async def traced(engine: Engine, text: str = ASKED) -> ledger.TraceRecord:
    await engine.exchange(text)
    async with engine.desk.store.read() as session:
        trace = await ledger.trace(session, "c1", 1)
    assert trace is not None
    await engine.lanes.close(patience=1)
    return trace


async def test_an_answer_that_does_not_state_it_is_not_said(engine: Engine) -> None:
    verifier = ScriptedVerifier(-3.0)
    trace = await traced(with_verifier(engine, verifier))
    assert trace.decision == "answer by response"
    assert trace.reason.endswith(", verified")
    assert verifier.asked == [(ASKED, f"{ENTRIES[0].question} {ENTRIES[0].answer}")]
    confidences = [hit["confidence"] for hit in trace.hits]
    assert confidences == [pytest.approx(0.0695, abs=1e-3), pytest.approx(0.01)]
    assert "verify" in trace.timings


@pytest.mark.parametrize("says", [3.0, None], ids=["states it", "no opinion"])
async def test_an_answer_that_states_it_is_said_and_so_is_one_nobody_read(
    engine: Engine, says: float | None
) -> None:
    trace = await traced(with_verifier(engine, ScriptedVerifier(says)))
    assert trace.decision.startswith("generate")
    assert ("verified" in trace.reason) == (says is not None)


@pytest.mark.parametrize(("says", "decision"), [(3.0, "generate"), (-1.0, "answer")])
async def test_what_was_only_just_not_said_may_be(engine: Engine, says: float, decision: str) -> None:
    heard, seen = Heard(ASKED, "en"), understanding([("id-fee", 0.4), ("id-time", 0.1)])
    evidence = weigh(heard, Before(), seen, calibrated=True, least=0.5)
    first = Thought(heard, seen, evidence, decide(evidence, engine.desk.policy))
    assert first.decision.reason == UNANSWERED
    desk = replace(engine.desk, verifier=ScriptedVerifier(says))
    scene = Scene("c1", 1, "t", 0, heard, Before(), desk.clock.monotonic() + 8, None)
    found = await verified(desk, engine.mind.live, scene, first)
    assert kind(found.decision) == decision


FEE, TIME = (entry.question for entry in ENTRIES)


@pytest.mark.parametrize(
    ("likely", "says", "asked", "said"),
    [
        ((0.6, 0.2), {FEE: -4.0, TIME: 4.0}, [FEE, TIME], "id-time"),
        ((0.4, 0.38), {FEE: -4.0, TIME: 4.0}, [FEE, TIME], "id-time"),
        ((0.4, 0.38), {FEE: 4.0, TIME: 4.0}, [FEE, TIME], None),
        ((0.6, 0.2), {FEE: 3.0, TIME: 3.0}, [FEE, TIME], "id-fee"),
        ((0.6, 0.2), {FEE: 2.0, TIME: 5.0}, [FEE, TIME], "id-time"),
        ((0.6, 0.2), {FEE: 3.0, TIME: None}, [FEE, TIME], "id-fee"),
        ((0.6, 0.01), {FEE: 3.0, TIME: 6.0}, [FEE], "id-fee"),
        ((0.6, 0.2), {FEE: -4.0, TIME: -4.0}, [FEE, TIME], None),
        # That the one failed more is no word for the other. What was about to be said may stand after a slight doubt.
        ((0.4, 0.38), {FEE: -1.0, TIME: -1.5}, [FEE, TIME], None),
        ((0.6, 0.2), {FEE: -0.5, TIME: -4.0}, [FEE, TIME], "id-fee"),
        ((0.6, 0.01), {FEE: -4.0, TIME: 4.0}, [FEE], None),
    ],
    ids=[
        "a wrong one",
        "two close ones",
        "both, as likely: which?",
        "both",
        "a neighbour states it better",
        "no time for the neighbour",
        "none that was likely is near",
        "neither",
        "rather none",
        "a doubt",
        "one unlikely",
    ],
)
async def test_the_likeliest_are_read_until_one_states_it(
    engine: Engine,
    likely: tuple[float, float],
    says: dict[str, float | None],
    asked: list[str],
    said: str | None,
) -> None:
    verifier = ScriptedVerifier(says)
    one = with_verifier(engine, verifier)
    one.mind.script[ASKED] = understanding(list(zip(("id-fee", "id-time"), likely, strict=True)))
    trace = await traced(one)
    answers = {entry.question: f"{entry.question} {entry.answer}" for entry in ENTRIES}
    assert verifier.asked == [(ASKED, answers[title]) for title in asked]
    assert trace.decision.startswith("generate") == (said is not None)
    if said is not None:
        assert trace.hits[0]["confidence"] == max(hit["confidence"] for hit in trace.hits)


@pytest.mark.parametrize(
    ("fee", "time", "asked", "sources"),
    [
        (4.0, 4.0, ["fee?", "time?"], 2),
        (4.0, -4.0, ["fee?", "time?", "fee? time?"], 1),
        (-4.0, -4.0, ["fee?", "time?", "fee? time?"], 0),
        (4.0, None, ["fee?", "time?"], 2),
    ],
    ids=["both state it", "one is beside the point", "neither", "no opinion"],
)
async def test_each_answer_to_several_questions_is_read(
    engine: Engine, fee: float, time: float | None, asked: list[str], sources: int
) -> None:
    says = {FEE: fee, TIME: time}
    verifier = ScriptedVerifier(says)
    one = with_verifier(engine, verifier)
    one.mind.script |= {
        "fee?": [("id-fee", 0.7)],
        "time?": [("id-time", 0.7)],
        "fee? time?": [("id-fee", 0.6), ("id-time", 0.01)],
    }
    trace = await traced(one, "fee? time?")
    assert [question for question, _ in verifier.asked] == asked
    assert trace.reason.startswith(SEVERAL) == (sources == 2)
    assert trace.decision.startswith("generate") == (sources > 0)


@pytest.mark.parametrize(
    ("script", "says", "asked", "said"),
    [
        # Nothing answers the whole, the first question is answered by its own answer: the rest is left open.
        ({"fee?": FEE, "time?": None}, {FEE: 4.0, TIME: -4.0}, ["fee? time?", "fee?"], PARTLY),
        ({"fee?": FEE, "time?": TIME}, {FEE: 4.0, TIME: 4.0}, ["fee? time?", "fee?", "time?"], SEVERAL),
        ({"fee?": FEE, "time?": FEE}, {FEE: 4.0, TIME: 4.0}, ["fee? time?", "fee?", "time?"], SEVERAL),
        ({"fee?": None, "time?": TIME}, {FEE: 4.0, TIME: -4.0}, ["fee? time?", "time?"], CLOSE),
        ({"fee?": FEE, "time?": TIME}, {FEE: 4.0, TIME: None}, ["fee? time?", "fee?", "time?"], CLOSE),
    ],
    ids=["one of two", "both", "one for both", "neither", "no opinion"],
)
async def test_where_nothing_answers_a_message_its_questions_are_read_apart(
    engine: Engine, script: dict[str, str | None], says: dict[str, float | None], asked: list[str], said: str
) -> None:
    whole = "fee? time?"
    verifier = ScriptedVerifier({whole: -4.0, **says})
    one = with_verifier(engine, verifier)
    ids = {FEE: "id-fee", TIME: "id-time", None: "id-time"}
    one.mind.script |= {whole: [("id-fee", 0.6), ("id-time", 0.01)]} | {
        text: [(ids[title], 0.2 if title else 0.01)] for text, title in script.items()
    }
    frames = await one.exchange(whole)
    assert [question for question, _ in verifier.asked] == asked
    async with engine.desk.store.read() as session:
        trace = await ledger.trace(session, "c1", 1)
    assert trace is not None
    assert trace.reason.startswith(said)
    assert trace.reason.endswith(", verified")
    answer = next(f.message for f in frames if f.message is not None and f.message.role == "bot")
    assert (RESPONSES["partly"]["en"][0] in answer.text) == (said == PARTLY)
    assert answer.rateable == (said != CLOSE)


async def test_answers_to_several_questions_that_are_sure_are_not_read(engine: Engine) -> None:
    verifier = ScriptedVerifier(-4.0)
    one = with_verifier(engine, verifier)
    one.mind.script |= {
        "fee?": [("id-fee", SURE)],
        "time?": [("id-time", SURE)],
        "fee? time?": [("id-fee", 0.6)],
    }
    trace = await traced(one, "fee? time?")
    assert (verifier.asked, trace.reason) == ([], SEVERAL)


async def test_an_answer_that_the_message_is_far_from_is_read_beside_the_whole_of_it(engine: Engine) -> None:
    """Taken out of its message "and what is the least?" may be about anything."""
    verifier = ScriptedVerifier({"fee? time?": -4.0, "fee?": 4.0, "time?": 4.0})
    one = with_verifier(engine, verifier)
    one.mind.script |= {
        "fee?": [("id-fee", 0.7)],
        "time?": [("id-time", 0.7)],
        "fee? time?": [("id-fee", 0.6), ("id-time", 0.0005)],
    }
    trace = await traced(one, "fee? time?")
    assert [question for question, _ in verifier.asked] == ["fee?", "fee? time?", "fee? time?"]
    assert trace.reason.startswith(PARTLY)


async def test_what_was_said_anew_is_what_is_read(engine: Engine) -> None:
    """A follow-up may come to several questions only once a generator has said it anew."""
    heard, seen = (
        Heard("fee? time?", "en"),
        replace(understanding([("id-fee", 0.6), ("id-time", 0.01)]), contextual=True),
    )
    parts = [
        weigh(heard, Before(), understanding([(one, 0.7)]), calibrated=True) for one in ("id-fee", "id-time")
    ]
    evidence = replace(weigh(heard, Before(), seen, calibrated=True), parts=tuple(parts))
    first = Thought(heard, seen, evidence, decide(evidence, engine.desk.policy))
    assert isinstance(first.decision, Generate)
    assert first.decision.reason == SEVERAL
    verifier = ScriptedVerifier(4.0)
    desk = replace(engine.desk, verifier=verifier)
    scene = Scene(
        "c1", 1, "t", 0, Heard("and those?", "en"), Before("a card"), desk.clock.monotonic() + 8, None
    )
    found = await verified(desk, engine.mind.live, scene, first)
    assert isinstance(found.decision, Generate)
    assert found.decision.entries == first.decision.entries
    assert [question for question, _ in verifier.asked] == ["fee?", "time?"]


@pytest.mark.parametrize(("text", "read"), [("and for a damaged one?", False), ("long waiting time", True)])
async def test_what_leans_on_the_message_before_is_no_question_to_a_reader(
    engine: Engine, text: str, read: bool
) -> None:
    verifier = ScriptedVerifier(-4.0)
    one = with_verifier(engine, verifier)
    one.mind.script[text] = replace(understanding([("id-fee", 0.6)]), contextual=True)
    await traced(one, text)
    assert [question for question, _ in verifier.asked] == [text] * read


async def test_what_says_too_little_stays_a_question(engine: Engine) -> None:
    """ "How much is it" may mean either, and either answers it."""
    verifier = ScriptedVerifier(4.0)
    one = with_verifier(engine, verifier)
    one.mind.script["how much"] = understanding([("id-fee", 0.8), ("id-time", 0.1)])
    trace = await traced(one, "how much")
    assert (verifier.asked, trace.decision) == ([], "clarify by clarify")


async def test_what_a_promise_was_learned_with_is_left_alone(engine: Engine) -> None:
    class Promising(Live):
        promised = property(lambda _: object())

        def bound(self, lang: str) -> None:
            return None

    verifier = ScriptedVerifier(-3.0)
    told = engine.mind.live
    engine.mind.live = Promising.of("release", told.reader, told.heads, told.bundle)
    trace = await traced(with_verifier(engine, verifier))
    assert (verifier.asked, trace.decision.startswith("generate")) == ([], True)


async def test_nobody_is_asked_about_what_is_sure_exact_or_all_but_impossible(engine: Engine) -> None:
    for seen in (
        understanding([("id-fee", SURE)]),
        replace(
            understanding([("id-fee", 0.3)]), candidates=(Candidate("id-fee", "fee", None, 0.3, exact=True),)
        ),
        understanding([("id-fee", 0.04), ("id-time", 0.01)]),
    ):
        verifier = ScriptedVerifier(-3.0)
        one = with_verifier(engine, verifier)
        one.mind.script["what?"] = seen
        await one.exchange("what?", id=str(id(seen)))
        assert verifier.asked == []
        await one.lanes.close(patience=1)


async def test_nobody_is_asked_without_time(engine: Engine) -> None:
    verifier = ScriptedVerifier(-3.0)
    trace = await traced(with_verifier(engine, verifier, limits=Limits(turn_s=0.5)))
    assert (verifier.asked, trace.decision.startswith("generate")) == ([], True)


def test_others_of_the_topic_go_along_and_no_other_one_gains_by_a_no() -> None:
    before = (
        Candidate("a", "fee", None, 0.6),
        Candidate("b", "fee", None, 0.5),
        Candidate("c", "time", None, 0.3),
    )
    no, yes = verified_by({"fee": -2.0}, before), verified_by({"fee": 2.0}, before)
    assert [one.entry for one in no] == ["c", "a", "b"]
    assert no[0].confidence == 0.3
    assert no[1].confidence == no[2].confidence == pytest.approx(0.1687, abs=1e-3)
    assert yes[0].confidence == pytest.approx(0.9173, abs=1e-3)
    assert yes[2].confidence == pytest.approx(0.3 * (1 - 0.9173) / 0.4, abs=1e-3)
    assert verified_by({"fee": 9.0}, (Candidate("a", "fee", None, 1.0),))[0].confidence == pytest.approx(1.0)


def test_where_one_answer_is_read_and_then_another_the_later_yes_wins() -> None:
    before = (Candidate("a", "fee", None, 0.6), Candidate("c", "time", None, 0.3))
    found = verified_by({"fee": -3.0, "time": 3.0}, before)
    assert [one.entry for one in found] == ["c", "a"]
    assert found[0].confidence == pytest.approx(0.979, abs=1e-3)
