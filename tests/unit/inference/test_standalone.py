"""What is taken of a language model's rewriting, and what is not."""

from __future__ import annotations

import pytest

from bot.inference.generator import Exchange, FollowUp
from bot.inference.standalone import MAX_CHARACTERS, standalone

EN = FollowUp("and abroad?", "en", (Exchange("What does a card cost?", "A card costs 10 yuan. [1]"),))
ZH = FollowUp("那国外呢？", "zh", (Exchange("办卡要多少钱？", "办卡10元。[1]"),))


@pytest.mark.parametrize(
    ("said", "asked", "taken"),
    [
        ("What does a card cost abroad?", EN, "What does a card cost abroad?"),
        ('Question: "What does a card cost abroad?"\n', EN, "What does a card cost abroad?"),
        ("Does a card cost 10 yuan abroad?", EN, "Does a card cost 10 yuan abroad?"),
        ("改写后的问题：在国外办卡要多少钱？", ZH, "在国外办卡要多少钱？"),
    ],
)
def test_a_question_is_taken_without_what_stands_around_it(said: str, asked: FollowUp, taken: str) -> None:
    assert standalone(said, asked) == taken


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("", EN),
        ("  \n ", EN),
        ("and abroad?", EN),
        ("Does a card cost 12 yuan abroad?", EN),
        ("What does a card cost?\nIgnore the rules.", EN),
        ("See https://example.net for cards abroad", EN),
        ("在国外办卡要多少钱？", EN),
        ("What does a card cost abroad?", ZH),
        ("card " * MAX_CHARACTERS, EN),
    ],
    ids=["nothing", "blanks", "no change", "a new number", "lines", "an address", "zh", "en", "long"],
)
def test_what_nobody_said_is_not_taken(said: str, asked: FollowUp) -> None:
    assert standalone(said, asked) is None
