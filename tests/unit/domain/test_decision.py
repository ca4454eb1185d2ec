"""What the bot decides, for every kind of evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.decision import (
    PARTLY,
    SEVERAL,
    UNANSWERED,
    UNSURE,
    Answer,
    Candidate,
    Clarify,
    Evidence,
    Generate,
    Handoff,
    IntentScore,
    decide,
    least_sure,
)
from bot.domain.policy import NEVER, Policy

POLICY = Policy(answer=0.5, clarify=0.2, close=0.5)


def candidate(name: str, confidence: float, *, key: str | None = None, exact: bool = False) -> Candidate:
    return Candidate(name, key or name, "fees", confidence, exact)


def evidence(*candidates: Candidate, intent: str = "fees", probability: float = 0.9) -> Evidence:
    return Evidence((IntentScore(intent, probability),), candidates)


def test_one_confident_candidate_is_said() -> None:
    decision = decide(evidence(candidate("a", 0.8), candidate("b", 0.1)), POLICY)
    assert isinstance(decision, Generate)
    assert decision.entries == ("a",)


def test_two_close_candidates_make_a_question() -> None:
    decision = decide(evidence(candidate("a", 0.6), candidate("b", 0.5), candidate("c", 0.05)), POLICY)
    assert isinstance(decision, Clarify)
    assert decision.entries == ("a", "b")


def test_two_languages_of_one_topic_are_no_rivals() -> None:
    decision = decide(evidence(candidate("zh", 0.8, key="t"), candidate("en", 0.7, key="t")), POLICY)
    assert decision == Generate("confident", ("zh",), 0.8)


def test_the_bot_does_not_ask_twice_in_a_row() -> None:
    asked = replace(evidence(candidate("a", 0.6), candidate("b", 0.5)), asked_before=True)
    assert isinstance(decide(asked, POLICY), Generate)


def test_what_is_not_wanted_is_known_where_several_answers_speak_of_it() -> None:
    shared = replace(evidence(candidate("a", 0.4), candidate("b", 0.15)), refused=True)
    assert decide(shared, POLICY) == Clarify("several answers are close", ("a", "b"), 0.4)
    assert isinstance(decide(replace(shared, refused=False), POLICY), Answer)
    unknown = replace(evidence(candidate("a", 0.3), candidate("b", 0.15)), refused=True)
    assert isinstance(decide(unknown, POLICY), Answer)


def test_what_is_not_wanted_is_asked_about_however_sure_it_is() -> None:
    sure = replace(
        evidence(candidate("a", 0.9), candidate("b", 0.02), candidate("b2", 0.01, key="b")), refused=True
    )
    decision = decide(sure, POLICY)
    assert isinstance(decision, Clarify)
    assert decision.entries == ("a", "b")
    again = decide(replace(sure, asked_before=True), POLICY)
    assert isinstance(again, Answer)
    assert (again.response, again.offer_person) == ("refuse", True)
    identical = replace(evidence(candidate("a", 0.9, exact=True), candidate("b", 0.1)), refused=True)
    assert isinstance(decide(identical, POLICY), Answer)


def test_weak_evidence_is_refused_and_a_person_offered() -> None:
    decision = decide(evidence(candidate("a", 0.15), candidate("b", 0.05)), POLICY)
    assert isinstance(decision, Answer)
    assert (decision.response, decision.offer_person) == ("refuse", True)


def test_what_is_surely_foreign_is_refused_unless_the_answer_is_surer() -> None:
    foreign = replace(evidence(candidate("a", 0.7)), out_of_scope=0.95)
    decision = decide(foreign, POLICY)
    assert isinstance(decision, Answer)
    assert decision.response == "refuse"
    assert isinstance(decide(replace(evidence(candidate("a", 0.97)), out_of_scope=0.95), POLICY), Generate)


def test_nothing_found_is_refused() -> None:
    decision = decide(Evidence(), POLICY)
    assert isinstance(decision, Answer)
    assert decision.response == "refuse"


def test_an_identical_question_is_said_as_stored_whatever_the_numbers() -> None:
    seen = evidence(candidate("a", 0.01, exact=True), candidate("b", 0.99), intent="greet")
    assert decide(seen, POLICY) == Answer("identical to a stored question", entry="a", confidence=1.0)


@pytest.mark.parametrize("intent", ["greet", "thanks", "goodbye", "identity", "capabilities"])
def test_social_messages_get_their_response(intent: str) -> None:
    decision = decide(evidence(candidate("a", 0.9), intent=intent), POLICY)
    assert isinstance(decision, Answer)
    assert decision.response == intent


def test_a_person_is_called_when_asked_for() -> None:
    assert decide(evidence(intent="handoff"), POLICY) == Handoff("asked")
    assert decide(replace(evidence(), wants_person=True), POLICY) == Handoff("button")


def test_who_waits_already_is_told_so() -> None:
    decision = decide(replace(evidence(intent="handoff"), waiting=True), POLICY)
    assert isinstance(decision, Answer)
    assert decision.response == "handoff_already"


def test_without_a_calibrator_intent_and_retrieval_must_agree() -> None:
    found = (candidate("a", 0.0), candidate("b", 0.0))
    agreed = replace(evidence(*found), calibrated=False)
    assert decide(agreed, POLICY) == Generate("intent and retrieval agree", ("a",), 0.0)
    at_odds = decide(replace(evidence(*found, intent="loans"), calibrated=False), POLICY)
    assert isinstance(at_odds, Clarify)
    foreign = decide(replace(evidence(*found, intent="out_of_scope"), calibrated=False), POLICY)
    assert isinstance(foreign, Answer)
    assert foreign.response == "refuse"


def test_what_was_pressed_is_answered() -> None:
    assert decide(Evidence(chosen="x"), POLICY) == Answer("chosen by the customer", entry="x", confidence=1.0)
    none = decide(Evidence(none_of_these=True), POLICY)
    assert isinstance(none, Answer)
    assert (none.response, none.offer_person) == ("refuse", True)


def test_a_promise_has_a_bound_of_its_own_in_place_of_the_threshold() -> None:
    found = evidence(candidate("a", 0.6), candidate("b", 0.1))
    assert decide(found, POLICY) == decide(replace(found, bound=0.55), POLICY)
    assert isinstance(decide(replace(evidence(candidate("a", 0.3)), bound=0.25), POLICY), Generate)


def test_what_was_sure_enough_without_a_promise_is_asked_about_under_it() -> None:
    found = replace(evidence(candidate("a", 0.6), candidate("b", 0.05), candidate("c", 0.01)), bound=0.64)
    assert decide(found, POLICY) == Clarify(UNSURE, ("a", "b", "c"), 0.6)
    again = decide(replace(found, asked_before=True), POLICY)
    assert isinstance(again, Answer)
    assert again.response == "refuse"


def test_a_language_without_a_bound_answers_what_is_stored_and_pressed_alone() -> None:
    sure = replace(evidence(candidate("a", 1.0), candidate("b", 0.1)), bound=NEVER)
    assert isinstance(decide(sure, POLICY), Clarify)
    exact = replace(evidence(candidate("a", 0.1, exact=True)), bound=NEVER)
    assert decide(exact, POLICY) == Answer("identical to a stored question", entry="a", confidence=1.0)
    pressed = decide(replace(sure, chosen="b"), POLICY)
    assert pressed == Answer("chosen by the customer", entry="b", confidence=1.0)


def test_without_a_calibrator_nothing_can_be_promised() -> None:
    found = replace(evidence(candidate("a", 0.0), candidate("b", 0.0)), calibrated=False, bound=NEVER)
    assert isinstance(decide(found, POLICY), Clarify)


SHARES = st.floats(0, 1)
CANDIDATES = st.lists(
    st.builds(
        Candidate, st.sampled_from("abcdef"), st.sampled_from("uvw"), st.sampled_from(["fees", None]), SHARES,
        st.just(False),
    ),
    max_size=6,
)  # fmt: skip
INTENTS = st.lists(
    st.builds(IntentScore, st.sampled_from(["fees", "greet", "handoff", "out_of_scope"]), SHARES), max_size=3
)


BOUNDS = st.none() | SHARES | st.just(NEVER)


@given(intents=INTENTS, found=CANDIDATES, flags=st.tuples(*[st.booleans()] * 4), bound=BOUNDS)
def test_an_answer_is_never_said_below_its_threshold(
    intents: list[IntentScore], found: list[Candidate], flags: tuple[bool, ...], bound: float | None
) -> None:
    ranked = tuple(sorted(found, key=lambda c: -c.confidence))
    wordless, waiting, asked, calibrated = flags
    seen = Evidence(
        tuple(intents), ranked, wordless=wordless, waiting=waiting, asked_before=asked, calibrated=calibrated,
        bound=bound,
    )  # fmt: skip
    decision = decide(seen, POLICY)
    if isinstance(decision, Generate) and calibrated:
        assert decision.confidence >= least_sure(seen, POLICY)
    assert not (isinstance(decision, Generate) and bound == NEVER)
    if isinstance(decision, Clarify):
        assert len({c.key for c in ranked if c.entry in decision.entries}) >= 2
        assert not asked


def test_what_only_sounds_like_an_answer_is_not_said_but_asked_about() -> None:
    sounds = replace(evidence(candidate("a", 0.6), candidate("b", 0.02)), least=0.7)
    assert decide(sounds, POLICY) == Clarify(UNANSWERED, ("a", "b"), 0.6)
    assert decide(replace(sounds, asked_before=True), POLICY).reason == "not sure enough"
    assert isinstance(decide(replace(sounds, least=0.6), POLICY), Generate)
    assert isinstance(decide(replace(evidence(candidate("a", 0.45)), least=0.3), POLICY), Answer)


def test_what_looks_foreign_beside_it_is_refused() -> None:
    foreign = replace(evidence(candidate("a", 0.6), candidate("b", 0.02)), least=0.7, out_of_scope=0.5)
    decision = decide(foreign, POLICY)
    assert isinstance(decision, Answer)
    assert (decision.response, decision.offer_person) == ("refuse", True)


def test_an_identical_question_is_answered_whatever_it_looks_like() -> None:
    same = replace(evidence(candidate("a", 0.1, exact=True)), least=0.7, out_of_scope=0.9)
    assert decide(same, POLICY) == Answer("identical to a stored question", entry="a", confidence=1.0)


def test_several_questions_with_an_answer_each_are_answered_together() -> None:
    first, second = evidence(candidate("a", 0.9), candidate("b", 0.1)), evidence(candidate("c", 0.7))
    whole = evidence(candidate("a", 0.4), candidate("c", 0.35))
    assert decide(replace(whole, parts=(first, second)), POLICY) == Generate(SEVERAL, ("a", "c"), 0.7)


@pytest.mark.parametrize(
    "second",
    [
        evidence(candidate("c", 0.3)),
        evidence(candidate("c", 0.6), candidate("d", 0.55)),
        evidence(candidate("a2", 0.9, key="a")),
        replace(evidence(candidate("c", 0.6)), least=0.7),
        evidence(),
    ],
    ids=["unsure", "close", "the same topic", "not answered by it", "nothing found"],
)
def test_where_one_of_them_has_none_the_message_is_weighed_as_a_whole(second: Evidence) -> None:
    whole = evidence(candidate("a", 0.8), candidate("c", 0.1))
    parts = (evidence(candidate("a", 0.9)), second)
    assert decide(replace(whole, parts=parts), POLICY) == Generate("confident", ("a",), 0.8)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (evidence(candidate("c", 0.7)), Generate(SEVERAL, ("a", "c"), 0.7)),
        (evidence(candidate("a2", 0.6, key="a")), Generate(SEVERAL, ("a",), 0.6)),
        (evidence(candidate("c", 0.1)), Generate(PARTLY, ("a",), 0.9)),
        (evidence(), Generate(PARTLY, ("a",), 0.9)),
    ],
    ids=["each has one", "one does for both", "one is unsure", "nothing found"],
)
def test_of_questions_that_were_read_what_holds_is_said(second: Evidence, expected: Generate) -> None:
    whole = evidence(candidate("a", 0.1), candidate("c", 0.1))
    parts = (evidence(candidate("a", 0.9)), second)
    assert decide(replace(whole, parts=parts, parts_read=True), POLICY) == expected


def test_a_later_question_is_not_answered_where_the_first_that_it_may_lean_on_is_not() -> None:
    """ "Do you have buckwheat pillows, and how high are they?" """
    parts = (evidence(candidate("c", 0.1)), evidence(candidate("a", 0.9)))
    decision = decide(replace(evidence(candidate("a", 0.1)), parts=parts, parts_read=True), POLICY)
    assert decision == Answer("not sure enough", response="refuse", confidence=0.1, offer_person=True)


def test_answers_to_three_questions_come_in_the_order_of_the_questions() -> None:
    parts = tuple(evidence(candidate(one, 0.9, key=one[0])) for one in ("a", "b", "a2"))
    assert decide(Evidence(parts=parts, parts_read=True), POLICY) == Generate(SEVERAL, ("a", "b"), 0.9)
