"""The judge of the grounding bench: strict, by the letter, and without anything of the bot's own check."""

from __future__ import annotations

import pytest

from bench._facts import holds, links, statements

FACTS = (
    "The Gold card costs CNY 200 a year.",
    "Call 400-555-0119 or see www.bank.example/cards. It is not free.",
)
CHINESE = ("金卡年费每年200元，致电400-555-0119办理。兰汀App不收费。",)


@pytest.mark.parametrize(
    "said",
    [
        "The Gold card costs CNY 200 a year.",
        "The Gold card costs 200 a year",
        "Call 400-555-0119.",
        "It's not free.",
    ],
)
def test_what_stands_in_the_facts_is_held(said: str) -> None:
    assert holds(said, FACTS)


@pytest.mark.parametrize(
    "said",
    [
        "The Gold card costs CNY 2000 a year.",
        "The Diamond card costs CNY 200 a year.",
        "Call 400-555-0118.",
        "See www.evil.example/cards.",
        "The Gold card is delivered within days.",
        "Never, not, no: it is not free.",
    ],
)
def test_what_does_not_is_not(said: str) -> None:
    assert not holds(said, FACTS)
    assert not holds(said, ())


@pytest.mark.parametrize(
    ("said", "held"),
    [
        ("金卡年费每年200元。", True),
        ("金卡年费200元。", True),
        ("金卡年费每年300元。", False),
        ("白金卡年费每年200元。", False),
        ("华夏App不收费。", False),
    ],
)
def test_in_chinese_too(said: str, held: bool) -> None:
    assert holds(said, CHINESE) is held


def test_a_reply_is_parted_into_statements_without_marks() -> None:
    assert statements("It costs 3.50. [1] Call us! [2]") == ["It costs 3.50.", "Call us!"]
    assert statements("年费200元。[1]致电我们！") == ["年费200元。", "致电我们！"]
    assert statements("[1]") == []


def test_links_and_addresses_are_found() -> None:
    assert links("see https://A.example/x, or me@b.example.") == ["https://a.example/x", "me@b.example"]
