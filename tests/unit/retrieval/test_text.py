from __future__ import annotations

import pytest

from retrieval.text import identity, normalise, script_lang, split_sentences, tokens


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I PAY?", "how do i pay"),
        ("  How   do I\tpay ?! ", "How do I pay"),
        ("怎么还款？", "怎么还款"),
        ("ATM 取款 怎么办。", "ATM取款怎么办"),
        ("Ｗｈａｔ ｉｓ ＣＶＶ？", "what is cvv"),
        ("card\u200b lost", "card lost"),
        ("Straße", "STRASSE"),
        ("开户", "開戶"),
        ("信用卡丢了怎么办，想补办", "信用卡丟了怎麼辦，想補辦？"),
        ("乾淨", "干净"),
    ],
)
def test_the_same_question_has_one_identity(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)
    assert identity(one) == identity(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("信用卡", "信用证"),
        ("fee 5%", "fee 5"),
        ("fee 1.5", "fee 15"),
        ("C#", "C"),
        ("?", ""),
    ],
)
def test_what_differs_stays_different(one: str, other: str) -> None:
    assert identity(one) != identity(other)


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("我的卡丢了", "zh"),
        ("我的ATM卡被吞了", "zh"),
        ("How do I use 支付宝 in the app", "en"),
        ("lost card", "en"),
        ("12345", None),
        ("？！", None),
        ("", None),
        ("カードをなくしました", None),
        ("카드를 잃어버렸어요", None),
    ],
)
def test_the_language_follows_the_larger_share_of_script(text: str, lang: str | None) -> None:
    assert script_lang(text) == lang


def test_english_terms_are_stems_without_stop_words() -> None:
    assert tokens("How do I report my lost Cards?") == ("report", "lost", "card")
    assert tokens("freezing a card") == tokens("Freeze the cards")
    assert tokens("replies") == tokens("reply")
    assert tokens("the address is wrong") == ("address", "wrong")


def test_numbers_stay_whole() -> None:
    assert tokens("up to 10,000.50 yuan") == ("up", "10,000.50", "yuan")


def test_chinese_terms_are_characters_and_pairs() -> None:
    assert tokens("还款日") == ("还", "款", "日", "还款", "款日")
    assert set(tokens("VISA卡")) == {"visa", "卡"}


def test_a_text_of_stop_words_alone_keeps_them() -> None:
    assert tokens("who are you") == ("who", "are", "you")
    assert tokens("吗") == ("吗",)
    assert tokens("?!。") == ()


@pytest.mark.parametrize(
    ("text", "lang", "sentences"),
    [
        ("Open the app. Tap Cards!", "en", ["Open the app.", "Tap Cards!"]),
        ("It costs 3.50 yuan, e.g. for cards. Call Mr. Li.", "en",
         ["It costs 3.50 yuan, e.g. for cards.", "Call Mr. Li."]),
        ("1. Open the app. 2. Tap Cards.", "en", ["1. Open the app.", "2. Tap Cards."]),
        ("See No. 5 on www.lanting.example/a.html today. Done", "en",
         ["See No. 5 on www.lanting.example/a.html today.", "Done"]),
        ("We close at 5 p.m. on Mondays. Really?! \"Yes.\" He left.", "en",
         ["We close at 5 p.m. on Mondays.", "Really?!", '"Yes."', "He left."]),
        ("First line\n\nsecond line", "en", ["First line", "second line"]),
        ("费率是3.5%。请登录；或致电。“可以吗？”他问", "zh",
         ["费率是3.5%。", "请登录；", "或致电。", "“可以吗？”", "他问"]),
        ("可以；不行", "en", ["可以；不行"]),
        ("真的吗？！好", "zh", ["真的吗？！", "好"]),
        ("   ", "zh", []),
    ],
)  # fmt: skip
def test_sentences_end_where_nothing_speaks_against_it(text: str, lang: str, sentences: list[str]) -> None:
    assert split_sentences(text, lang) == sentences
