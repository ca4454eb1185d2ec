"""Nearly the same: told by characters, in both languages; what differs by the one word that matters is not."""

from __future__ import annotations

import pytest

from training.clean import Item, Tally, clean
from training.dataset import Row, Split
from training.near import LEAK, NEAR, THIN, UNFAIR, Index, shingles, similarity, sketch, thin
from training.source import Found

SAME = [
    ("How do I cancel my card?", "how do i cancel my card please"),
    ("I lost my card", "I lost my card!!"),
    ("What is the exchange rate for euros?", "What is the exchange rate for euro?"),
    ("my transfer has not arrived yet", "my transfer hasn't arrived yet"),
    ("Why was I charged a fee for my card payment?", "why was i charged a fee for the card payment"),
    ("I would like to close my account", "Hi, I would like to close my account"),
    ("怎么注销我的银行卡", "怎么注销我的银行卡呢"),
    ("请问怎么注销我的银行卡", "怎么注销我的银行卡"),
    ("我的转账还没有到账", "我的转账还没到账"),
    ("为什么要收取手续费？", "为什么要收手续费"),
    ("如何修改手机号码", "如何修改手机号"),
]
OTHER = [
    ("How do I cancel my card?", "How do I cancel my order?"),
    ("I lost my card", "I lost my phone"),
    ("my card was stolen", "my card was swallowed"),
    ("What is the exchange rate for euros?", "What is the exchange rate for dollars?"),
    ("how do I top up by card", "how do I top up by cheque"),
    ("I want to open an account", "I want to close an account"),
    ("where is my refund", "where is my card"),
    ("怎么注销我的银行卡", "怎么激活我的银行卡"),
    ("我的转账还没有到账", "我的退款还没有到账"),
    ("如何修改手机号码", "如何修改登录密码"),
    ("为什么转账失败", "为什么付款失败"),
    ("银行卡丢了怎么办", "手机丢了怎么办"),
    ("怎么开户", "怎么销户"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_a_letter_a_mark_or_a_courtesy_makes_no_other_text(one: str, other: str) -> None:
    assert similarity(shingles(one), shingles(other)) >= NEAR


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_the_word_that_matters_makes_another_text(one: str, other: str) -> None:
    assert similarity(shingles(one), shingles(other)) < NEAR


def test_an_index_finds_what_comparing_all_with_all_finds() -> None:
    index = Index()
    for one, _ in [*SAME, *OTHER]:
        index.add(one, sketch(one))
    asked = [other for _, other in [*SAME, *OTHER]]
    stored = [shingles(one) for one, _ in [*SAME, *OTHER]]
    expected = [any(similarity(shingles(text), one) >= NEAR for one in stored) for text in asked]
    assert [index.near(text, sketch(text)) for text in asked] == expected
    assert 0 < sum(expected) < len(expected)


def made(*texts: str, labels: str = "aaaa") -> list[Item]:
    return clean(
        (Found("intent", "file", Row(text, label)) for text, label in zip(texts, labels, strict=False)),
        Tally(),
    )


def thinned(items: list[Item], held: str) -> tuple[set[str], dict[str, int]]:
    """What remains where the text `held` is the test, and how many rows went for which reason."""
    sides: dict[str, Split] = {item.id: "test" if item.text == held else "train" for item in items}
    tally = Tally()
    kept = {item.text for item in thin(items, sides, tally)}
    return kept, {one.reason: one.rows for one in tally.removed()}


def test_training_loses_what_is_near_a_held_out_text() -> None:
    items = made("how do I cancel my card", "how do I cancel my card please", "forget that card of mine")
    kept, removed = thinned(items, "how do I cancel my card")
    assert kept == {"how do I cancel my card", "forget that card of mine"}
    assert removed == {LEAK: 1}


def test_training_keeps_one_of_what_is_near_one_another() -> None:
    items = made("我的转账还没有到账", "我的转账还没到账", "钱没来")
    kept, removed = thinned(items, "钱没来")
    assert len(kept) == 2
    assert removed == {THIN: 1}


def test_nearly_the_same_under_another_label_is_what_has_to_be_told_apart() -> None:
    items = made("how do I cancel my card", "how do I cancel my cards", "else", labels="aba")
    assert thinned(items, "how do I cancel my card") == ({item.text for item in items}, {})


def test_a_label_is_not_left_without_a_text_to_learn_from() -> None:
    items = made("how do I cancel my card", "how do I cancel my card please", "other", labels="aab")
    kept, removed = thinned(items, "how do I cancel my card")
    assert kept == {"how do I cancel my card please", "other"}
    assert removed == {UNFAIR: 1}


def test_texts_from_one_mould_take_no_time_without_end() -> None:
    items = made(*(f"where is my order number {n:06}" for n in range(3_000)), labels="a" * 3_000)
    kept, removed = thinned(items, "")
    assert len(kept) + removed[THIN] == 3_000
    assert len(kept) < 300
