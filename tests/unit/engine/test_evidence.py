"""From stored lines to what understanding is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial

import pytest

from bot.domain.decision import Candidate
from bot.engine.evidence import (
    CONTINUED,
    Before,
    Heard,
    Line,
    build_ask,
    look_back,
    needs_understanding,
    weigh,
)
from bot.inference.understanding import Understanding
from retrieval.slips.mender import Read
from retrieval.types import Entry, Hit

TODAY = date(2026, 11, 22)


def test_a_leaning_message_takes_the_question_before_along() -> None:
    before = Before("How do I report a lost debit card?", "card-lost-report")
    ask = build_ask(Heard("and for a credit card?", "en"), before, today=TODAY)
    assert (ask.previous, ask.leaning) == ("How do I report a lost debit card?", True)
    assert ask.answered_key == "card-lost-report"


def test_a_message_that_stands_alone_takes_nothing_along() -> None:
    ask = build_ask(
        Heard("How do I open a savings account at one of your branches in town?", "en"),
        Before("Hello there", None),
        today=TODAY,
    )
    assert ask.previous is None


def test_without_a_question_before_there_is_nothing_to_lean_on() -> None:
    assert build_ask(Heard("那信用卡呢？", "zh"), Before(), today=TODAY).previous is None


def test_what_a_message_leans_on_is_told_by_what_it_was_meant_to_say() -> None:
    meant = {"how long are tehy good for": "how long are they good for", "my crad": "my card"}

    def read(text: str) -> Read | None:
        return Read(meant[text], range(len(text))) if text in meant else None

    ask = build_ask(Heard("how long are tehy good for", "en"), Before("my crad"), today=TODAY, read=read)
    assert (ask.text, ask.said) == ("how long are tehy good for", "how long are they good for")
    assert (ask.leaning, ask.previous) == (True, "my card")


def test_what_is_refused_is_told_by_what_was_meant() -> None:
    seen = Understanding((), (Candidate("a", "a", None, 0.9),), (), False, read="don't block my card")
    assert weigh(Heard("dno't block my card", "en"), Before(), seen, calibrated=True).refused


def test_looking_back_finds_question_topic_and_options() -> None:
    lines = [
        Line("customer", "card fee"),
        Line("bot", "Which?", options=["entry:a", "none"]),
        Line("customer", "Annual fee", choice="entry:a"),
        Line("bot", "It is free.", topic="annual-fee"),
    ]
    assert look_back(lines) == Before("Annual fee", "annual-fee", asked_which=False)
    assert look_back(lines[:2]) == Before("card fee", None, asked_which=True)
    assert look_back([]) == Before()


@pytest.mark.parametrize(
    ("text", "choice", "needed"),
    [
        *(("hello", None, True), ("👍👍", None, False), ("人工", "person", False)),
        *(("None", "none", False), ("Fee", "entry:a", True)),
    ],
)
def test_what_needs_no_understanding(text: str, choice: str | None, needed: bool) -> None:
    assert needs_understanding(Heard(text, "en", choice)) is needed


def test_buttons_speak_for_themselves() -> None:
    assert weigh(Heard("x", "en", "person"), Before(), None, calibrated=True).wants_person
    assert weigh(Heard("x", "en", "none"), Before(), None, calibrated=True).none_of_these
    assert weigh(Heard("x", "en", "entry:abc"), Before(), None, calibrated=True).chosen == "abc"
    assert weigh(Heard("…", "en"), Before(), None, calibrated=True).wordless


@pytest.mark.parametrize(
    ("text", "phrase", "refused"),
    [
        ("I don't want to block my card", "block my card", True),
        ("我不想挂失", "怎么挂失", True),
        ("please no more calls, I don't want to be called", "don't call me again", False),
        ("I can't block my card", "block my card", False),
    ],
)
def test_a_refusal_is_one_unless_the_phrasing_nearest_to_it_is_one_too(
    text: str, phrase: str, refused: bool
) -> None:
    hits = [_hit("a", phrase), _hit("b", "don't do anything")]
    seen = Understanding(
        (), (Candidate("a", "a", None, 0.9), Candidate("b", "b", None, 0.1)), tuple(hits), False
    )
    assert weigh(Heard(text, "en"), Before(), seen, calibrated=True).refused is refused


def test_how_sure_to_be_was_learned_from_messages_that_stand_alone() -> None:
    alone = Understanding((), (Candidate("a", "a", None, 0.4),), (), contextual=False)
    joined = replace(alone, contextual=True)
    told = partial(weigh, before=Before(), calibrated=True, least=0.6)
    heard = Heard("and abroad?", "en")
    assert (told(heard, seen=alone).least, told(heard, seen=joined).least) == (0.6, CONTINUED)


def _hit(id: str, phrase: str) -> Hit:
    entry = Entry(id=id, key=id, lang="en", question=phrase, answer="It is so.")
    return Hit(entry, score=1.0, dense=1.0, lexical=1.0, phrase=phrase)
