"""Whatever is written: recognisers end, in time, with places that are those of the text."""

import re
import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.entities import dates_en, dates_zh
from training.entities.entity import atoms, folded
from training.entities.recognise import RECOGNISERS, Recognisers
from training.entities.spec import KindSpec

ALL = Recognisers(
    {
        **{name: KindSpec(recogniser=name) for name in RECOGNISERS},
        "order": KindSpec(patterns=("LW######", "***-###")),
        "card": KindSpec(values={"credit": ("credit card", "信用卡"), "ﬁne": ("",)}),
    }
)
_PIECES = """
1 12 4111 1111 1111 1111 138 00138000 +86 LW123456 三 千 五百 万 元 块 角 月 日 号 年 周 三 下 上个 天前 到 — 半
May 3rd next Friday ago in days ¥ $ € , . - / : ， ￥ １ ２ Ａ ﬁ ½ ㈱ e\u0301 İ ß \u200b @ a.b@c.de
2月 30日 信用卡 credit card 0月 31 9999-12-31 9999年 99999年
"""
PIECES = st.lists(st.sampled_from([*_PIECES.split(), " ", "\n", "\ud800", "\x00"]), max_size=30)
TEXTS = st.one_of(st.text(), PIECES.map("".join), PIECES.map(" ".join))
LONG = ["1", "三", "a", "a@", "1 ", "1-", "下周三", "4111 1111 1111 1111 ", "May 3 ", "1,200.5元 "]
DAYS = st.dates()


@given(TEXTS, DAYS)
def test_places_are_of_the_text_and_none_lies_over_another(text: str, on: date) -> None:
    end = 0
    for entity in ALL.find(text, on):
        assert end <= entity.start < entity.end <= len(text)
        assert text[entity.start : entity.end] == entity.text
        end = entity.end


@given(st.one_of(TEXTS, PIECES.map("".join)).map(folded))
def test_days_of_a_language_are_told_in_its_signs(text: str) -> None:
    """Rules of the other language need not be asked."""
    plain = text.encode("ascii", "ignore").decode()
    assert not any(rule.search(plain) for rule, _ in dates_zh.RULES)
    rest = re.sub("[a-z0-9]", "", text)
    assert not any(rule.search(rest) for rule, _ in dates_en.RULES)


@given(TEXTS)
def test_folding_leaves_places_and_is_done_once(text: str) -> None:
    assert len(folded(text)) == len(text)
    assert folded(folded(text)) == folded(text)


@given(TEXTS)
def test_atoms_are_everything_but_blanks(text: str) -> None:
    rest = list(text)
    for start, end in atoms(text):
        rest[start:end] = " " * (end - start)
    assert not "".join(rest).strip()


@pytest.mark.parametrize("piece", LONG)
def test_a_long_text_takes_time_in_proportion(piece: str) -> None:
    """Ten times as long may take thirty times as long at most, where a square would be a hundred."""

    def seconds(length: int) -> float:
        text = (piece * length)[:length]
        started = time.process_time()
        ALL.find(text, date(2026, 11, 26))
        return time.process_time() - started

    seconds(1_000)
    most = 30 * max(min(seconds(3_000) for _ in range(3)), 0.005)
    assert any(seconds(30_000) < most for _ in range(3))  # a busy machine may spoil one of them
