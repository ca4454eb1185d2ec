"""Which messages ask several things, and what each of them is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.several import MOST, questions


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (
            "How do I report a lost card, and where are your branches?",
            ("How do I report a lost card", "where are your branches?"),
        ),
        (
            "What does delivery cost? How do I return shoes?",
            ("What does delivery cost?", "How do I return shoes?"),
        ),
        (
            "My card is gone. How do I block it? When do branches open?",
            ("My card is gone. How do I block it?", "When do branches open?"),
        ),
        (
            "How do I replace a card and how much does it cost?",
            ("How do I replace a card", "How do I replace a card how much does it cost?"),
        ),
        (
            "When do shops open, and when does my parcel come?",
            ("When do shops open", "when does my parcel come?"),
        ),
        ("运费怎么算，几天能送到上海？", ("运费怎么算", "几天能送到上海？")),
        ("怎么退货？发票怎么开？", ("怎么退货？", "发票怎么开？")),
    ],
)
def test_each_question_is_asked_by_itself(text: str, asked: tuple[str, ...]) -> None:
    assert questions(text) == asked


@pytest.mark.parametrize(
    "text",
    [
        "How do I report a lost card?",
        "My wife and I moved, what now?",
        "I lost my card and my phone. What should I do?",
        "你好，怎么退货？",
        "Why? How? When?",
        "When I order notes, what's the smallest sum?",
        "What does it cost when my card is lost, and when it is stolen?",
        "",
        "?",
    ],
)
def test_most_messages_ask_one_thing(text: str) -> None:
    assert questions(text) == ()


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    assert len(questions(text)) in (0, *range(2, MOST + 1))
