"""Which messages lean on the one before."""

from __future__ import annotations

import pytest

from bot.domain.followup import changed_to, changes, contextual, fragment, leans
from bot.domain.language import choose_language
from retrieval.text import tokens


@pytest.mark.parametrize(
    "text",
    [
        *("and for a credit card?", "what about abroad", "How long does that take?", "Is it free?"),
        *("and a new one?", "can I pay there?", "can I cancel this?"),
        *("那信用卡呢？", "那要多久", "它收费吗", "信用卡呢"),
    ],
)
def test_leaning(text: str) -> None:
    assert leans(text)


@pytest.mark.parametrize(
    "text",
    [
        *("How do I report a lost card?", "What is the daily ATM limit for withdrawals"),
        *("is there a fee to open an account", "hello there", "codes in one day", "promotions this week"),
        *("怎么挂失借记卡", "我想提高信用卡额度"),
    ],
)
def test_standing_alone(text: str) -> None:
    assert not leans(text)


def test_a_long_story_with_a_pronoun_stands_alone() -> None:
    assert not leans(
        "I went to the branch on Saturday with my passport and they told me that the card was not ready"
    )


@pytest.mark.parametrize(
    ("text", "changing"),
    [
        *(("and for a credit card?", True), ("what if I am abroad", True), ("is it free", False)),
        *(("那信用卡呢？", True), ("国庆节呢", True), ("它收费吗", False), ("要多久", False)),
    ],
)
def test_going_on_to_something_else(text: str, changing: bool) -> None:
    assert changes(text) is changing


@pytest.mark.parametrize(
    ("text", "short"), [("how long?", True), ("要收费吗", True), ("", False), ("?!", False)]
)
def test_fragments(text: str, short: bool) -> None:
    assert fragment(text) is short


def test_the_contextual_form_holds_both() -> None:
    assert contextual("lost debit card ", "and credit?") == "lost debit card and credit?"


@pytest.mark.parametrize(
    ("script", "last", "locale", "expected"),
    [("zh", "en", "en", "zh"), (None, "en", "zh-CN", "en"), (None, None, "en-GB", "en"), (None, None, "fr", "zh")],
)  # fmt: skip
def test_language(script: str | None, last: str | None, locale: str | None, expected: str) -> None:
    assert choose_language(script, last=last, locale=locale, languages=("zh", "en")) == expected


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("and for a Gold card?", "gold card"),
        ("那金卡呢？", "金卡"),
        ("金卡呢", "金卡"),
        ("那么金卡呢", "金卡"),
        ("如果是金卡呢", "金卡"),
    ],
)
def test_what_a_message_goes_on_to(text: str, plain: str) -> None:
    assert changed_to(text) == set(tokens(plain))


@pytest.mark.parametrize("text", ["", "那呢", "and?", "\ud800呢"])
def test_what_names_nothing_goes_on_to_nothing_or_its_own_letters(text: str) -> None:
    assert changed_to(text) <= set(tokens(text))
