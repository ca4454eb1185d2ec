"""The example bank is large enough to be believed, and its parts fit one another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.definition import RESERVED, BotDefinition, load
from bot.definition.report import Census, census
from retrieval.text import normalise, script_lang

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("zh", "en")


@pytest.fixture(scope="module")
def bank() -> BotDefinition:
    return load(ROOT / "examples" / "bank")


@pytest.fixture(scope="module")
def counts(bank: BotDefinition) -> Census:
    return census(bank)


def test_fifty_intents_have_a_dozen_examples_in_each_language(counts: Census) -> None:
    rich = counts.intents_with(12)
    assert {lang: rich[lang] >= 50 for lang in LANGUAGES} == {"zh": True, "en": True}


def test_every_intent_has_a_dozen_examples(counts: Census) -> None:
    poor = [(lang, name) for lang in LANGUAGES for name, n in counts.examples[lang].items() if n < 12]
    assert poor == []


def test_two_hundred_pairs_in_each_language_linked_by_topic(counts: Census) -> None:
    assert min(counts.pairs[lang] for lang in LANGUAGES) >= 200
    assert counts.linked == counts.topics


def test_no_phrasing_stands_under_two_topics(counts: Census) -> None:
    assert counts.ambiguous == ()


def test_every_intent_is_answered_and_every_answer_has_an_intent(bank: BotDefinition, counts: Census) -> None:
    assert counts.unanswered == ()
    assert [row.line for row in bank.knowledge if row.entry.intent is None] == []
    assert bank.intents.keys() >= RESERVED


def test_both_languages_of_a_topic_name_the_same_intent(bank: BotDefinition) -> None:
    intents: dict[str, set[str | None]] = {}
    for row in bank.knowledge:
        intents.setdefault(row.entry.key, set()).add(row.entry.intent)
    assert {topic: names for topic, names in intents.items() if len(names) > 1} == {}


def test_texts_are_in_the_language_they_stand_under(bank: BotDefinition) -> None:
    wrong = [
        (row.file, row.line)
        for row in bank.knowledge
        if {script_lang(row.entry.answer), script_lang(row.entry.question)} != {row.entry.lang}
    ]
    assert wrong == []


def test_every_suggestion_is_a_question_that_has_a_stored_answer(bank: BotDefinition) -> None:
    stored = {(row.entry.lang, normalise(phrase)) for row in bank.knowledge for phrase in row.entry.phrases}
    asked = {(lang, normalise(text)) for lang, texts in bank.suggestions.items() for text in texts}
    assert len(asked) == 10
    assert asked - stored == set()


def test_the_blind_questions_expect_topics_that_exist(bank: BotDefinition) -> None:
    topics = {row.entry.key for row in bank.knowledge} | {"refuse", "clarify"}
    lines = (ROOT / "tests" / "blind" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line) for line in lines]
    assert {q["id"] for q in questions if {q["expect"], *q["also"]} - topics} == set()


def test_no_blind_question_was_copied_into_the_bank(bank: BotDefinition) -> None:
    known = {
        normalise(text) for i in bank.intents.values() for texts in i.examples.values() for text in texts
    }
    known |= {normalise(phrase) for row in bank.knowledge for phrase in row.entry.phrases}
    lines = (ROOT / "tests" / "blind" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    asked = {normalise(turn) for line in lines for turn in json.loads(line)["turns"]}
    assert asked & known == set()
