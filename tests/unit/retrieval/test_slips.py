"""Slips are mended by a bot's own words; names, codes, numbers and what people do write are left alone."""

from __future__ import annotations

import pytest
from pypinyin import lazy_pinyin

from retrieval.slips.chinese import _sound_of
from retrieval.slips.mender import MAX_LENGTH, Mender
from retrieval.text import as_read

TEXTS = [
    *("How long does a transfer take?", "Is there a fee for a transfer abroad?", "I want to block my card"),
    *("block my credit card, it was stolen", "How do I apply for a credit card?", "Where is my parcel?"),
    *("what does a transfer to another bank cost", "can I change the delivery address of my order?"),
    "is there a branch in Shanghai",
    *(
        "我的信用卡丢了怎么办",
        "信用卡怎么申请",
        "申请信用卡要什么材料",
        "手续费是多少",
        "转账要手续费吗",
        "怎么查询余额",
    ),
    *("怎么办理挂失", "余额怎么查询", "办理信用卡要多久", "怎么转账到别的银行"),
]


@pytest.fixture(scope="module")
def mender() -> Mender:
    return Mender.of([*TEXTS, *TEXTS])


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("how long does a tarnsfer take", "how long does a transfer take"),
        ("Is there a fee for a transfr abroad?", "is there a fee for a transfer abroad"),
        ("where is my parccel", "where is my parcel"),
        ("block my credut card", "block my credit card"),
        ("I want to block my ccard", "i want to block my card"),
        ("WHERE IS MY PARSEL", "where is my parcel"),
        (
            "block my vredit card, and what does a tarnsfer cost",
            "block my credit card, and what does a transfer cost",
        ),
        ("whar's a transfer", "what's a transfer"),
        ("my fard was eaten", "my card was eaten"),
        ("hWere is my parcel", "where is my parcel"),
        ("WWhere is my parcel", "where is my parcel"),
        ("I moved to Shangahi", "i moved to shanghai"),
    ],
)
def test_one_letter_is_mended_by_the_bots_own_words(mender: Mender, typed: str, read: str | None) -> None:
    found = mender.read(typed)
    assert (found.text if found else None) == read


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("我的新用卡丢了怎么办", "我的信用卡丢了怎么办"),
        ("转账要收续费吗", "转账要手续费吗"),
        ("我的新用卡丟了怎麼辦", "我的信用卡丢了怎么办"),
        ("怎么板理挂失", "怎么办理挂失"),
    ],
)
def test_a_character_of_the_same_sound_is_mended_where_that_makes_a_word(
    mender: Mender, typed: str, read: str
) -> None:
    found = mender.read(typed)
    assert found is not None
    assert found.text == read


@pytest.mark.parametrize(
    "typed",
    [
        *(*TEXTS, "", " ", "?!", "👍", "\ud800"),
        *("can I pay with Temu", "block my Kard please", "my NFTs, my PUK", "send it to carf@transfr.com"),
        *("order AB-carf-12", "www.parcell.example", "I paid 12carf", "is my café open", "my colour is grey"),
        *("I am traveling", "a rare word: auspicious", "ruble", "usa", "gmail", "thx", "pls"),
        *("it wasn't me", "I wouldn’t", "I met Shanghaia in Carfd"),
        *(
            "红烧肉怎么做",
            "今天天气怎么样",
            "羊绒怎么晾",
            "推荐一部电影",
            "王小明",
            "苏州河边",
            "怎么查寻余额",
        ),
    ],
)
def test_what_is_no_slip_is_read_as_it_was_typed(mender: Mender, typed: str) -> None:
    assert mender.read(typed) is None


def test_a_character_between_what_stands_beside_anything_is_no_slip() -> None:
    """However often the bot's texts have another one there."""
    often = Mender.of([f"{what}的事" for what in ("我", "他", "卡", "账户", "转账", "昨天")] * 20)
    assert often.read("给我写一首秋天的诗") is None


def test_each_character_read_knows_where_it_was_typed(mender: Mender) -> None:
    typed = "Hi!  BLOCK  my ｃｒｅｄｔ card"
    found = mender.read(typed)
    assert found is not None
    assert found.text == "hi! block my credit card"
    assert len(found.came) == len(found.text)
    start = found.text.index("credit")
    assert typed[found.came[start] : found.came[start + 5] + 1] == "ｃｒｅｄｔ"
    assert typed[found.came[-4] :] == "card"


def test_a_long_text_is_read_as_it_was_typed(mender: Mender) -> None:
    assert mender.read("block my credut card " + "and so on " * (MAX_LENGTH // 10)) is None


def test_without_texts_words_that_everybody_uses_are_all_there_is() -> None:
    found = Mender.of([]).read("block my credut card 新用卡")
    assert found is not None
    assert found.text == "block my credit card 新用卡"


def test_what_is_mended_is_not_mended_again(mender: Mender) -> None:
    found = mender.read("how long does a tarnsfer take")
    assert found is not None
    assert as_read(found.text) == found.text
    assert mender.read(found.text) is None


def test_the_table_of_sounds_is_what_pypinyin_says() -> None:
    known = _sound_of()
    assert len(known) > 6_700
    assert [c for c, sound in known.items() if lazy_pinyin(c)[0] != sound] == []
