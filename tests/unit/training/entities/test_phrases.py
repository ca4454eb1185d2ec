"""Phrases that are known: the longest counts, and an example does not teach itself."""

from __future__ import annotations

import pytest

from training.entities.entity import atoms, folded
from training.entities.phrases import inflected, phrase, said_in
from training.entities.spec import Example, Span


def example(text: str, *named: tuple[str, str]) -> Example:
    return Example(text, tuple(Span(text.index(s), text.index(s) + len(s), kind) for s, kind in named))


ROME = example("to Rome with the Gold Card", ("Rome", "city"), ("Gold Card", "card"))
CARD = example("my gold card, 3 times", ("gold card", "card"), ("3", "count"))
KNOWN = said_in([ROME, CARD, example("金卡丢了", ("金卡", "card"))], {})


def found(text: str, own: Example | None = None) -> list[tuple[str, str]]:
    places = atoms(text)
    words = [folded(text[start:end]) for start, end in places]
    return [(text[start:end], kind) for kind, start, end in KNOWN.find(words, places, own=own)]


def test_what_examples_name_is_known_in_other_texts() -> None:
    assert found("GOLD CARD to rome, 金卡") == [("GOLD CARD", "card"), ("rome", "city"), ("金卡", "card")]


def test_numbers_are_nothing_by_themselves() -> None:
    assert found("3 times") == []


def test_an_example_knows_what_others_say_alone() -> None:
    assert found(ROME.text, ROME) == [("Gold Card", "card")]
    assert found("金卡丢了", example("金卡丢了", ("金卡", "card"))) == []


@pytest.mark.parametrize(
    ("said", "forms"),
    [
        ("Gold card", [("gold", "cards")]),
        ("fee", [("fees",)]),
        ("city", [("cities",)]),
        ("day", [("days",)]),
        ("box", [("boxes",)]),
        ("jeans", [("jeanses",), ("jean",)]),
        ("dress", [("dresses",)]),
        ("金卡", []),
        ("S", []),
        ("", []),
    ],
)
def test_plurals(said: str, forms: list[tuple[str, ...]]) -> None:
    assert list(inflected(phrase(said)))[1:] == forms
