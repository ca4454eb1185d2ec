"""What a folder becomes when nothing is wrong with it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from bot.definition import RESERVED, load
from bot.definition.defaults import RESPONSES
from bot.documents import DocumentReader, reader
from bot.domain.policy import Policy
from tests.unit.definition.folders import BOT, folder, knowledge
from tests.unit.documents.samples import SIZES, book
from training.promise import Promise

INTENTS = """
intents:
  lost:
    title: {en: Lost card}
    examples:
      en: [I lost my card, "no"]
      zh: [卡丢了]
  greet:
    examples: {en: [12:30, hello]}
"""
ROW = '{"id": "a", "lang": "en", "intent": "lost", "question": "Lost?", "answer": "Call."}\n'


def test_bot_yml_alone_is_a_bot_with_a_web_chat_and_texts_of_its_own(tmp_path: Path) -> None:
    bot = load(folder(tmp_path))
    assert (bot.name, bot.languages, bot.site) == ({"en": "Ann", "zh": "小安"}, ("zh", "en"), None)
    assert [(c.instance, c.type, c.origins) for c in bot.channels] == [("web", "webchat", ())]
    assert (dict(bot.intents), bot.knowledge) == ({}, ())
    assert bot.responses.keys() == RESPONSES.keys()
    assert "小安" in bot.response("identity", "zh")[0]
    assert "{bot}" not in str(bot.responses)


def test_every_text_the_engine_needs_is_built_in_for_both_languages() -> None:
    needed = "greet thanks goodbye identity capabilities handoff handoff_already refuse clarify late error empty differ"
    assert RESPONSES.keys() == {*needed.split(), "other_language", "partly", "offer_person", "none_of_these"}
    assert {lang for texts in RESPONSES.values() for lang in texts} == {"en", "zh"}
    assert all(variants and all(variants) for texts in RESPONSES.values() for variants in texts.values())
    assert {"handoff", "out_of_scope", "greet"} <= RESERVED


def test_scalars_stay_what_was_written(tmp_path: Path) -> None:
    bot = load(folder(tmp_path, intents=INTENTS))
    assert bot.intents["lost"].examples["en"] == ("I lost my card", "no")
    assert bot.intents["greet"].examples["en"] == ("12:30", "hello")
    assert bot.intents["lost"].title == {"en": "Lost card"}


def test_policy_overrides_are_numbers_of_the_policy(tmp_path: Path) -> None:
    bot = load(folder(tmp_path, bot=BOT + "policy: {answer: 0.7, clarify: .1}\n"))
    assert Policy().override(bot.policy.values) == dataclasses.replace(Policy(), answer=0.7, clarify=0.1)
    assert (bot.policy.get("answer", 0.5), bot.policy.get("close", 0.5)) == (0.7, 0.5)


def test_a_response_of_the_folder_replaces_the_built_in_one_in_its_language_only(tmp_path: Path) -> None:
    bot = load(folder(tmp_path, responses="responses: {greet: {en: ['Hi, {bot} here']}}"))
    assert bot.response("greet", "en") == ("Hi, Ann here",)
    assert bot.response("greet", "zh") == RESPONSES["greet"]["zh"]
    assert bot.response("greet", "fr") == bot.response("greet", "zh")
    with pytest.raises(KeyError):
        bot.response("dance", "en")


def test_channels_site_and_suggestions(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").touch()
    text = BOT + (
        "suggestions: {en: [One?, Two?]}\nsite: site\n"
        "channels:\n  - {instance: shop, origins: ['https://a.example:8443', '*']}\n"
        "  - {instance: old, type: rasa, reply_within: 12, deadline: 20, audience: [vip]}\n"
    )
    bot = load(folder(tmp_path, bot=text))
    assert bot.suggestions == {"en": ("One?", "Two?")}
    assert bot.site == tmp_path / "site"
    assert bot.channels[0].origins == ("https://a.example:8443", "*")
    assert (bot.channels[1].type, bot.channels[1].reply_within) == ("rasa", 12.0)
    assert [(c.deadline, c.audience) for c in bot.channels] == [(None, frozenset()), (20.0, {"vip"})]


def test_knowledge_rows_name_their_file_relative_to_the_folder(tmp_path: Path) -> None:
    knowledge(tmp_path, "b.jsonl", ROW)
    knowledge(tmp_path, "a.csv", "question,answer,lang\nWhy?,So.,en\n怎么？,这样。,zh\n")
    knowledge(tmp_path, "README.md", "not knowledge")
    bot = load(folder(tmp_path, intents=INTENTS))
    places = [(row.file, row.line, row.entry.lang) for row in bot.knowledge]
    assert places == [
        ("knowledge/a.csv", 2, "en"),
        ("knowledge/a.csv", 3, "zh"),
        ("knowledge/b.jsonl", 1, "en"),
    ]
    assert bot.knowledge[2].entry.intent == "lost"


def test_the_hash_is_of_names_and_examples_and_of_nothing_else(tmp_path: Path) -> None:
    first = load(folder(tmp_path, intents=INTENTS)).intents_hash
    titled = load(folder(tmp_path, intents=INTENTS.replace("Lost card", "Card"))).intents_hash
    changed = load(folder(tmp_path, intents=INTENTS.replace("卡丢了", "卡不见了"))).intents_hash
    moved = load(
        folder(tmp_path, intents=INTENTS.replace("      zh: [卡丢了]", "      zh: [hello]"))
    ).intents_hash
    assert len(first) == 64
    assert first == titled
    assert len({first, changed, moved}) == 3


def test_the_whole_value_is_frozen(tmp_path: Path) -> None:
    bot = load(folder(tmp_path))
    with pytest.raises(dataclasses.FrozenInstanceError):
        bot.languages = ()  # type: ignore[misc]


def test_documents_are_knowledge_and_are_not_read_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    knowledge(tmp_path, "shop.md", "# Shop\n\n## Hours\n\nFrom 9 to 5.\n\n## 运费\n\n满99元包邮。\n")
    (tmp_path / "knowledge" / "guides").mkdir()
    book(tmp_path / "knowledge" / "guides" / "size-guide.xlsx", Women=SIZES, 说明=[("これはテストです。",)])
    memory = tmp_path / "memory"
    first = load(folder(tmp_path), documents=DocumentReader(memory)).knowledge
    assert [(row.file, row.entry.question, row.entry.lang) for row in first] == [
        ("knowledge/guides/size-guide.xlsx", "size guide › Women › Women's sizes (cm)", "en"),
        ("knowledge/shop.md", "Shop › Hours", "en"),
        ("knowledge/shop.md", "Shop › 运费", "zh"),
    ]
    assert first[0].entry.url == "knowledge/guides/size-guide.xlsx#Women!3"
    assert "the language of `size guide › 说明` cannot be told" in caplog.text
    monkeypatch.setattr(reader, "COMMAND", ["no-such-file.py"])
    assert load(tmp_path, documents=DocumentReader(memory)).knowledge == first


@pytest.mark.parametrize(
    ("line", "promise"),
    [
        ("", None),
        ("promise: {}\n", Promise(0.03, 0.99)),
        ("promise: {wrong: 5%, sure: 99.9 %}\n", Promise(0.05, 0.999)),
        ("promise:\n  wrong: 0.1\n", Promise(0.1, 0.99)),
    ],
)
def test_a_promise_is_made_in_percent_or_not_at_all(
    tmp_path: Path, line: str, promise: Promise | None
) -> None:
    assert load(folder(tmp_path, bot=BOT + line)).promise == promise
