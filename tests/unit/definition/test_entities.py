"""What customers name: kinds, and examples in which it is marked; mistakes are told with their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.definition import load
from bot.definition.annotated import cuts_words, read_annotated
from bot.errors import DefinitionError
from retrieval.text import normalise
from tests.unit.definition.folders import folder
from training.entities.entity import atoms
from training.entities.spec import Example, KindSpec, Span

ENTITIES = """entities:
  city:
  amount: {recognise: amount}
  order: {patterns: ['LW####']}
  size: {values: {small: [S, 小号]}}
examples:
  zh: ['寄到[成都](city)要几天', 营业时间]
  en: ['to [ Oslo ]{"entity": "city"}, [20 yuan](amount)']
"""
INTENTS = """
intents:
  ask: {examples: {en: ['is [Rome](city) far', 'see [sic] (here)']}}
"""


def test_kinds_and_marked_examples(tmp_path: Path) -> None:
    bot = load(folder(tmp_path, entities=ENTITIES, intents=INTENTS))
    assert bot.entities == {
        "city": KindSpec(),
        "amount": KindSpec("amount"),
        "order": KindSpec(patterns=("LW####",)),
        "size": KindSpec(values={"small": ("S", "小号")}),
    }
    assert bot.annotated["zh"] == (
        Example("寄到成都要几天", (Span(2, 4, "city"),)),
        Example("营业时间", ()),
    )
    assert bot.annotated["en"] == (
        Example("to  Oslo , 20 yuan", (Span(4, 8, "city"), Span(11, 18, "amount"))),
        Example("is Rome far", (Span(3, 7, "city"),)),
    )
    assert bot.intents["ask"].examples["en"] == ("is Rome far", "see [sic] (here)")


def test_a_bot_without_entities_needs_no_file(tmp_path: Path) -> None:
    bot = load(folder(tmp_path, intents="intents: {ask: {examples: {en: [hello there]}}}"))
    assert (dict(bot.entities), {lang: list(e) for lang, e in bot.annotated.items() if e}) == ({}, {})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("'to [Rome](town)'", "unknown entity `town`"),
        ("'to [Rome](citi)'", "Did you mean `city`?"),
        ("'to [Rom](city)e'", "cuts a word in two"),
        ("'to [ ](city)'", "holds no text"),
        ("'to [Rome]{entity}'", "is not JSON"),
        ("'''to [Rome]{\"role\": \"city\"}'''", "is not understood"),
    ],
)
def test_a_wrong_mark_is_told_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(DefinitionError) as told:
        load(folder(tmp_path, entities=f"entities:\n  city:\nexamples:\n  en:\n    - fine\n    - {line}\n"))
    assert message in str(told.value)
    assert told.value.line == 6


def test_another_encoding_is_named_by_its_line(tmp_path: Path) -> None:
    root = folder(tmp_path)
    text = "entities:\n  city:\nexamples:\n  zh:\n    - 到[北京](city)\n"
    (root / "entities.yml").write_bytes(text.encode("gb18030"))
    with pytest.raises(DefinitionError) as told:
        load(root)
    assert (told.value.file, told.value.line) == (str(root / "entities.yml"), 5)
    assert "UTF-8" in f"{told.value} {told.value.hint}"


@pytest.mark.parametrize(
    ("kind", "message"),
    [("{recognise: dates}", "Known: email"), ("{patterns: [LW]}", "Use #"), ("{lookup: [a]}", "unknown key")],
)
def test_a_wrong_kind_is_told(tmp_path: Path, kind: str, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        load(folder(tmp_path, entities=f"entities:\n  x: {kind}\n"))


@pytest.mark.parametrize("name", ["bank", "shop"])
def test_marks_of_the_example_bots_are_exact(name: str, tmp_path: Path) -> None:
    text = Path(f"examples/{name}/entities.yml").read_text(encoding="utf-8")
    bot = load(folder(tmp_path, entities=text))
    apart = read_annotated(Path(f"examples/{name}/tests/entities.jsonl"), tell=lambda _: None)
    assert not any(map(cuts_words, apart.rows))
    assert {span.kind for row in apart.rows for span in row.spans} <= set(bot.entities)
    assert {row.lang for row in apart.rows} == {"en", "zh"}
    known = {normalise(example.text) for found in bot.annotated.values() for example in found}
    assert known.isdisjoint(map(normalise, apart.texts))
    for example in (e for found in bot.annotated.values() for e in found):
        assert "](" not in example.text
        for span in example.spans:
            assert any(start == span.start for start, _ in atoms(example.text))
    assert {span.kind for found in bot.annotated.values() for e in found for span in e.spans} >= {
        "amount",
        "city",
    }
