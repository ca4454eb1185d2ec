"""What has a form of its own is found where it stands, and comes to one value."""

from datetime import date

import pytest

from training.entities.entity import Entity
from training.entities.recognise import RECOGNISERS, Recognisers
from training.entities.spec import KindSpec

ON = date(2026, 11, 26)
"""A Thursday."""
ALL = Recognisers({name: KindSpec(recogniser=name) for name in RECOGNISERS})


def found(text: str, kind: str) -> list[tuple[str, str | None]]:
    return [(e.text, e.value) for e in ALL.find(text, ON) if e.kind == kind]


@pytest.mark.parametrize(
    ("text", "said", "value"),
    [
        ("it cost ¥1,200.50 in all", "¥1,200.50", "1200.5 CNY"),
        ("转账三千五百元给他", "三千五百元", "3500 CNY"),
        ("想借1.2万", "1.2万", "12000"),
        ("about 20 bucks", "20 bucks", "20 USD"),
        ("USD 30 please", "USD 30", "30 USD"),
        ("一共￥１２００．５０对吗", "￥１２００．５０", "1200.5 CNY"),
        ("￥1，200到账", "￥1，200", "1200 CNY"),
        ("二十块五的那个", "二十块五", "20.5 CNY"),
        ("3块5毛2", "3块5毛2", "3.52 CNY"),
        ("五十万元的贷款", "五十万元", "500000 CNY"),
        ("ein Preis von 1.200,50 €", "1.200,50 €", "1200.5 EUR"),
        ("a loan of 1.5 million dollars", "1.5 million dollars", "1500000 USD"),
        ("20k usd", "20k usd", "20000 USD"),
    ],
)
def test_amounts(text: str, said: str, value: str) -> None:
    assert found(text, "amount") == [(said, value)]


@pytest.mark.parametrize(
    "text", ["尾号8812", "我们一块去", "1.2万人", "order 1234567", "5 minutes", "第三个"]
)
def test_not_amounts(text: str) -> None:
    assert found(text, "amount") == []


@pytest.mark.parametrize(
    ("text", "said", "value"),
    [
        ("今天到吗", "今天", "2026-11-26"),
        ("下周三能到吗", "下周三", "2026-12-02"),
        ("周五送来", "周五", "2026-11-27"),
        ("上周的账单", "上周", "2026-11-16/2026-11-22"),
        ("since 2024-05-01 already", "2024-05-01", "2024-05-01"),
        ("5月3号买的", "5月3号", "2027-05-03"),
        ("５月３号", "５月３号", "2027-05-03"),
        ("去年12月25日", "去年12月25日", "2025-12-25"),
        ("二零二四年五月一日", "二零二四年五月一日", "2024-05-01"),
        ("上个月15号的账单", "上个月15号", "2026-10-15"),
        ("三天前下的单", "三天前", "2026-11-23"),
        ("5月3号到5月7日之间", "5月3号到5月7日", "2027-05-03/2027-05-07"),
        ("by next Friday", "next Friday", "2026-12-04"),
        ("last friday it broke", "last friday", "2026-11-20"),
        ("ordered May 3rd, 2024", "May 3rd, 2024", "2024-05-03"),
        ("from the 3rd of May to 7 May", "the 3rd of May to 7 May", "2027-05-03/2027-05-07"),
        ("three days ago", "three days ago", "2026-11-23"),
        ("the day after tomorrow", "the day after tomorrow", "2026-11-28"),
        ("12/31/2024", "12/31/2024", "2024-12-31"),
        ("29 February 2024", "29 February 2024", "2024-02-29"),
        ("last month", "last month", "2026-10-01/2026-10-31"),
        ("二十号扣款", "二十号", "2026-11-20"),
        ("9月底前办好", "9月底", "2026-09-24/2026-09-30"),
        ("下个月初", "下个月初", "2026-12-01/2026-12-07"),
        ("今年年底", "今年年底", "2026-12-01/2026-12-31"),
        ("去年下半年", "去年下半年", "2025-07-01/2025-12-31"),
        ("2023年的利息", "2023年", "2023-01-01/2023-12-31"),
        ("五一放假吗", "五一", "2027-05-01"),
        ("双十一还会降吗", "双十一", "2026-11-11"),
        ("at the end of September", "the end of September", "2026-09-24/2026-09-30"),
        ("early, beginning of next year", "beginning of next year", "2027-01-01/2027-01-31"),
        ("on Friday afternoon", "Friday afternoon", "2026-11-27"),
        ("since this morning", "this morning", "2026-11-26"),
        ("last March", "last March", "2026-03-01/2026-03-31"),
        ("last December", "last December", "2025-12-01/2025-12-31"),
        ("next May", "next May", "2027-05-01/2027-05-31"),
        ("on New Year’s Day", "New Year’s Day", "2027-01-01"),
        ("the 1st of each month", "the 1st", "2026-12-01"),
        ("at the weekend", "the weekend", "2026-11-28/2026-11-29"),
    ],
)
def test_dates(text: str, said: str, value: str) -> None:
    assert found(text, "date") == [(said, value)]


@pytest.mark.parametrize(
    "text",
    [
        *("I may go", "10号线", "3个月", "31 June 2024", "sat down", "2024-13-01", "第3号", "二十号楼"),
        *("第二十号", "五一二路", "一年底薪", "the end of it"),
    ],
)
def test_not_dates(text: str) -> None:
    assert found(text, "date") == []


@pytest.mark.parametrize("text", ["春节期间", "Spring Festival", "中秋"])
def test_days_that_the_moon_tells_have_no_value(text: str) -> None:
    [(said, value)] = found(text, "date")
    assert (said in text, value) == (True, None)


def test_a_currency_of_a_list_does_not_take_an_amount_apart() -> None:
    own = Recognisers({"amount": KindSpec("amount"), "currency": KindSpec(values={"EUR": ("欧元", "euro")})})
    said = own.find("200 euros or 300欧元? Euros!", ON)
    assert [(e.kind, e.text, e.value) for e in said] == [
        ("amount", "200 euros", "200 EUR"),
        ("amount", "300欧元", "300 EUR"),
        ("currency", "Euros", "EUR"),
    ]


def test_numbers_that_have_a_form() -> None:
    text = "call (415) 555-2671 or 13800138000, card 4111 1111 1111 1111, mail Li@example.com"
    assert [(e.kind, e.text, e.value) for e in ALL.find(text, ON)] == [
        ("phone", "(415) 555-2671", "+14155552671"),
        ("phone", "13800138000", "+8613800138000"),
        ("card_number", "4111 1111 1111 1111", "4111111111111111"),
        ("email", "Li@example.com", "li@example.com"),
    ]
    assert found("card 4111 1111 1111 1112", "card_number") == []


def test_patterns_of_the_house_come_first() -> None:
    own = Recognisers({"date": KindSpec("date"), "order": KindSpec(patterns=("LW-####@", "LW2024####"))})
    said = own.find("ＬＷ-1234x und lw20240501, XLW20240501, LW202405011", ON)
    assert [(e.text, e.value, e.source) for e in said] == [
        ("ＬＷ-1234x", "LW-1234X", "pattern"),
        ("lw20240501", "LW20240501", "pattern"),
    ]


def test_values_of_a_list_are_whole_words_and_the_longest_counts() -> None:
    card = KindSpec(values={"credit": ("credit card", "信用卡"), "gold": ("gold credit card",)})
    said = Recognisers({"card_type": card}).find("My Gold  Credit Card, 信用卡, creditable", ON)
    assert said == (
        Entity("card_type", "Gold  Credit Card", 3, 20, "gold", "list"),
        Entity("card_type", "信用卡", 22, 25, "credit", "list"),
    )
