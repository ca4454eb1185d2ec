"""Changes of texts: whatever the text, they end, keep what they promise to keep, and come out the same again."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.chinese import simplified
from retrieval.text import HAN, normalise
from training.noise import CHANGES, changed

MANY = settings(max_examples=60, deadline=None)
ENGLISH = st.text("abcdefghij KLMNOPQRS tuvwxyz.?'", min_size=1, max_size=40)
CHINESE = st.text(
    "我的信用卡丢了怎么办想先挂失再补办一张新银行账户密码转登录件发台面后", min_size=1, max_size=20
)
ANY = st.one_of(
    st.text(max_size=30), ENGLISH, CHINESE, st.text(st.characters(categories=["Cs", "Lo"]), max_size=8)
)
HAN_RUN = re.compile(f"[{HAN}]+")
SEEDS = st.integers(0, 2**16)


def one(name: str, text: str, seed: int = 0) -> str:
    return CHANGES[name](text, np.random.default_rng(seed))


@pytest.mark.parametrize("name", CHANGES)
@MANY
@given(text=ANY, seed=SEEDS)
def test_any_text_comes_back_and_the_same_one_again(name: str, text: str, seed: int) -> None:
    found = changed(name, [text, "another", text], seed=seed)
    assert found == changed(name, [text, "another", text], seed=seed)
    assert found[0] == found[2]
    assert isinstance(found[0], str)


@MANY
@given(ENGLISH, SEEDS)
def test_a_typo_of_letters_is_one_slip(text: str, seed: int) -> None:
    found = one("typo_en", text, seed)
    assert abs(len(found) - len(text)) <= 1
    assert distance(text, found) <= 2, found
    assert not HAN_RUN.search(found)
    assert found.isascii()


@MANY
@given(CHINESE, SEEDS)
def test_a_typo_of_characters_is_one_character(text: str, seed: int) -> None:
    found = one("typo_zh", text, seed)
    assert distance(text, found) <= 1
    assert HAN_RUN.fullmatch(found)


@MANY
@given(CHINESE)
def test_scripts_and_widths_have_a_way_back(text: str) -> None:
    assert one("simplified", one("traditional", text)) == text
    assert simplified(one("traditional", text)) == text


@MANY
@given(ENGLISH)
def test_what_is_widened_reads_the_same(text: str) -> None:
    wide = one("full_width", text)
    assert one("half_width", wide) == text
    assert unicodedata.normalize("NFKC", wide) == text
    assert not wide.isascii()
    for name in ("full_width", "upper", "lower", "title", "blanks"):
        assert normalise(one(name, text)) == normalise(text)


@MANY
@given(CHINESE, SEEDS)
def test_pinyin_takes_one_word_away(text: str, seed: int) -> None:
    found = one("pinyin", text, seed)
    if found != text:
        assert 2 <= len(text) - len("".join(HAN_RUN.findall(found))) <= 6
        assert re.search("[a-z]", found)
    else:
        assert len(text) == 1


def test_words_are_swapped_for_their_counterparts() -> None:
    mixed = {one("mixed", "我的银行卡坏了", seed) for seed in range(20)}
    assert mixed == {"我的 bank card 坏了", "我的银行卡 broken"}
    assert {one("mixed", "Card", seed) for seed in range(9)} == {"卡"}
    assert one("synonym", "我的订单", 0) == "我的单子"
    assert one("synonym", "My parcel", 0) == "My package"
    assert one("synonym", "discarded", 0) == "discarded"
    assert {one("mixed", "discard the app", seed) for seed in range(9)} <= {
        "discard the 应用", "discard the 软件", "discard the 客户端",
    }  # fmt: skip


def test_slips_are_those_of_a_keyboard() -> None:
    slips = {one("typo_en", "block", seed) for seed in range(300)}
    assert {"vlock", "lbock", "lock", "bblock"} <= slips
    assert not slips & {"plock", "qlock", "block"}
    homophones = {one("typo_zh", "卡号", seed) for seed in range(200)}
    assert "卡好" in homophones
    assert "卡耗" in homophones
    dropped = {one("typo_zh", "信用卡", seed) for seed in range(60)}
    assert {"用卡", "信卡", "信用"} <= dropped
    assert any(len(slip) == 3 for slip in dropped)


def test_a_typo_is_made_where_the_text_is() -> None:
    english = changed("typo", ["my card was lost in 上海"])
    assert "上海" in english[0]
    assert changed("typo", ["我的app登录不了"])[0] != "我的app登录不了"
    assert changed("typo", ["123", ""]) == ["123", ""]


def test_taiwan_has_words_of_its_own() -> None:
    assert one("taiwan", "软件里的鼠标") == "軟體裡的滑鼠"
    assert one("traditional", "I lost my card") == "I lost my card"


def distance(a: str, b: str) -> int:
    """Levenshtein's."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]
