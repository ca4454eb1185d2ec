"""Passages that tell different things about what was asked, and those that only tell of different things."""

from __future__ import annotations

import pytest

from bot.inference.grounding.differ import difference

STORED = "A lost token is replaced within 3 working days. It costs CNY 45."


@pytest.mark.parametrize(
    "other",
    [
        "A lost token is replaced within five working days.",
        "A lost token is not replaced.",
        "Fees are listed here. A lost token is replaced in two weeks or 9 days.",
    ],
)
def test_another_time_or_a_denial_is_a_difference(other: str) -> None:
    found = difference("how long until a lost token is replaced", STORED, other, "en")
    assert found is not None
    assert found.first == "A lost token is replaced within 3 working days."
    assert "token is" in found.second


@pytest.mark.parametrize(
    ("question", "other"),
    [
        ("how long until a lost token is replaced", "A lost token is replaced within three working days."),
        ("how long until a lost token is replaced", "A lost token costs CNY 99."),
        ("when are branches open", "A lost token is replaced within 9 days."),
        ("how long until a lost token is replaced", "Loans take 9 days."),
        ("how long until a lost token is replaced", ""),
    ],
)
def test_the_same_or_something_else_is_none(question: str, other: str) -> None:
    assert difference(question, STORED, other, "en") is None


def test_in_chinese_too() -> None:
    one, other = "押金在退租后三个工作日内退回账户。", "退租后押金于20个工作日内原路退还。"
    found = difference("退租押金几天退", one, other, "zh")
    assert found is not None
    assert (found.first, found.second) == (one, other)
    assert difference("退租押金几天退", one, "退租后押金在3个工作日内退回。", "zh") is None
