"""The example bots are large enough to be believed, and their parts fit one another."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from bot.definition import RESERVED, BotDefinition, load
from bot.definition.contrasts import require_contrasts
from bot.definition.facts import read_facts
from bot.definition.questions import FOLDER, Question, read_questions
from bot.definition.report import Census, census
from retrieval.text import normalise, script_lang

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Example:
    """What the bot of one folder claims to be, and the questions that it is put to."""

    bot: BotDefinition
    counts: Census
    intents: int
    pairs: int
    questions: list[Question]
    unseen: list[Question]
    """Those of them that claim to be no phrasing of the bot's own."""


LEAST = {"bank": (50, 200), "shop": (34, 110)}
"""Intents with a dozen examples, and questions with answers, in each language."""
BLIND = ROOT / "tests" / "blind" / "questions.jsonl"


@pytest.fixture(scope="module", params=sorted(LEAST))
def example(request: pytest.FixtureRequest) -> Example:
    name = request.param
    bot = load(EXAMPLES / name)
    own = list(read_questions(bot.folder))
    unseen = list(read_questions(BLIND)) if name == "bank" else own
    return Example(bot, census(bot), *LEAST[name], [*own, *unseen], unseen)


def test_every_example_is_held_to_this() -> None:
    assert {path.parent.name for path in EXAMPLES.glob("*/bot.yml")} == LEAST.keys()


def test_intents_have_a_dozen_examples_in_each_language(example: Example) -> None:
    rich = example.counts.intents_with(12)
    assert {lang: rich[lang] >= example.intents for lang in LANGUAGES} == {"zh": True, "en": True}


def test_every_intent_has_a_dozen_examples(example: Example) -> None:
    poor = [(lang, name) for lang in LANGUAGES for name, n in example.counts.examples[lang].items() if n < 12]
    assert poor == []


def test_pairs_in_each_language_are_linked_by_topic(example: Example) -> None:
    assert min(example.counts.pairs[lang] for lang in LANGUAGES) >= example.pairs
    written = {row.entry.key for row in example.bot.knowledge if row.entry.intent}
    both = [{row.entry.key for row in example.bot.knowledge if row.entry.lang == lang} for lang in LANGUAGES]
    assert written - (both[0] & both[1]) == set()


def test_every_question_has_other_phrasings(example: Example) -> None:
    asked = [row for row in example.bot.knowledge if row.entry.intent]
    assert [(row.file, row.line) for row in asked if len(row.entry.phrases) < 4] == []


def test_no_phrasing_stands_under_two_topics(example: Example) -> None:
    assert example.counts.ambiguous == ()


def test_every_intent_is_answered_and_every_answer_has_an_intent(example: Example) -> None:
    assert example.counts.unanswered == ()
    files = [row for row in example.bot.knowledge if row.file.endswith(".jsonl")]
    assert [(row.file, row.line) for row in files if row.entry.intent is None] == []
    assert example.bot.intents.keys() >= RESERVED


def test_both_languages_of_a_topic_name_the_same_intent(example: Example) -> None:
    intents: dict[str, set[str | None]] = {}
    for row in example.bot.knowledge:
        intents.setdefault(row.entry.key, set()).add(row.entry.intent)
    assert {topic: names for topic, names in intents.items() if len(names) > 1} == {}


def test_texts_are_in_the_language_they_stand_under(example: Example) -> None:
    wrong = [
        (row.file, row.line)
        for row in example.bot.knowledge
        if row.entry.intent
        and {script_lang(row.entry.answer), script_lang(row.entry.question)} != {row.entry.lang}
    ]
    assert wrong == []


def test_answers_are_written_for_each_language_and_each_topic(example: Example) -> None:
    """No answer was left in the other language, and none stands under two topics."""
    answers: dict[str, set[str]] = {}
    for row in example.bot.knowledge:
        answers.setdefault(normalise(row.entry.answer), set()).add(row.entry.key + row.entry.lang)
    assert {text: places for text, places in answers.items() if len(places) > 1} == {}


def test_the_site_brings_all_it_needs_in_both_languages(example: Example) -> None:
    """Under the Content-Security-Policy that the server sends, and for a reader of either language."""
    assert example.bot.site is not None
    page = BeautifulSoup((example.bot.site / "index.html").read_text(encoding="utf-8"), "html.parser")
    inline = [tag for tag in page.find_all(["script", "style"]) if not tag.get("src")]
    inline += [
        tag for tag in page.find_all(True) if any(n == "style" or n.startswith("on") for n in tag.attrs)
    ]
    assert inline == []
    sources = [str(tag.get("src") or tag.get("href")) for tag in page.find_all(["script", "link", "img"])]
    missing = [name for name in sources if not (example.bot.site / name).is_file()]
    assert missing == ["/widget/kefu.js"]
    texts = Counter(str(tag["lang"]) for tag in page.body.find_all(lang=True)) if page.body else Counter()
    assert texts["zh-CN"] == texts["en"] > 50


def test_every_suggestion_is_a_question_that_has_a_stored_answer(example: Example) -> None:
    stored = {
        (row.entry.lang, normalise(phrase)) for row in example.bot.knowledge for phrase in row.entry.phrases
    }
    asked = {(lang, normalise(text)) for lang, texts in example.bot.suggestions.items() for text in texts}
    assert len(asked) == 10
    assert asked - stored == set()


def test_the_questions_expect_topics_and_documents_that_exist(example: Example) -> None:
    topics = {row.entry.key for row in example.bot.knowledge} | set(example.bot.responses)
    topics |= {path.name for path in example.bot.folder.glob("knowledge/*")}
    expected = {q.id: set(q.expected) for q in example.questions}
    assert {question: names - topics for question, names in expected.items() if names - topics} == {}


def test_no_unseen_question_was_copied_into_the_bot(example: Example) -> None:
    intents = example.bot.intents.values()
    known = {normalise(text) for i in intents for texts in i.examples.values() for text in texts}
    known |= {normalise(phrase) for row in example.bot.knowledge for phrase in row.entry.phrases}
    assert {turn for q in example.unseen for turn in q.turns if normalise(turn) in known} == set()


def test_contrast_sets_are_of_stored_answers_and_hold_no_test_question(example: Example) -> None:
    known = {(row.entry.key, row.entry.lang) for row in example.bot.knowledge}
    sets = require_contrasts(example.bot.folder, example.bot.languages, known)
    asked = {normalise(turn) for question in example.questions for turn in question.turns}
    asked |= {normalise(fact.text) for fact in read_facts(example.bot.folder)}
    messages = {normalise(text) for one in sets for text in (*one.answered, *one.unanswered)}
    assert messages & asked == set()
    assert {one.lang for one in sets} == set(LANGUAGES)
    assert min(len(one.answered) + len(one.unanswered) for one in sets) >= 6
    others = require_contrasts(example.bot.folder / FOLDER, example.bot.languages, known)
    apart = {normalise(text) for one in others for text in (*one.answered, *one.unanswered)}
    assert len(apart) > 300, "what a verifier's scale can be chosen by"
    assert apart & (messages | asked) == set()
