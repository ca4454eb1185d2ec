"""Amounts of money: ¥1,200.50, 三千五百元, 1.2万, 20 bucks, USD 30, 二十块五."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from training.entities.entity import Found, folded
from training.entities.numbers import DIGITS, HAN_NUMBER, TIMES, to_decimal

_BEFORE = {
    **dict.fromkeys(("hk$",), "HKD"),
    **dict.fromkeys(("us$", "usd", "$", "美元"), "USD"),
    **dict.fromkeys(("¥", "rmb", "cny", "人民币", "人民幣"), "CNY"),
    **dict.fromkeys(("€", "eur"), "EUR"),
    **dict.fromkeys(("£", "gbp"), "GBP"),
    "hkd": "HKD",
    "jpy": "JPY",
}
_AFTER = {
    **dict.fromkeys(("元", "块", "塊", "圆", "rmb", "cny", "yuan", "kuai", "元人民币", "人民币"), "CNY"),
    **dict.fromkeys(("块钱", "塊錢", "元钱", "元整"), "CNY"),
    **dict.fromkeys(("usd", "dollars", "dollar", "bucks", "buck", "美元", "美金", "刀", "$"), "USD"),
    **dict.fromkeys(("eur", "euros", "euro", "欧元", "歐元", "€"), "EUR"),
    **dict.fromkeys(("gbp", "pounds", "pound", "quid", "英镑", "英鎊", "£"), "GBP"),
    **dict.fromkeys(("hkd", "港币", "港元", "港幣"), "HKD"),
    **dict.fromkeys(("jpy", "yen", "日元", "日圆"), "JPY"),
}
_PARTS = {"角": Decimal("0.1"), "毛": Decimal("0.1"), "分": Decimal("0.01")}


def _any(words: dict[str, str]) -> str:
    """The longest first; one of letters does not go on in letters."""
    ordered = sorted(words, key=len, reverse=True)
    return "|".join(
        re.escape(word) + (r"(?![a-z])" if word.isascii() and word.isalpha() else "") for word in ordered
    )


_NUMBER = rf"(?:{DIGITS})(?:\s?(?:{TIMES})(?![a-z]))?|(?:{DIGITS})?{HAN_NUMBER}{{1,24}}"
_DIGIT = "[0-9一二两三四五六七八九]"
_CHANGE = rf"{_DIGIT}(?:[角毛](?:{_DIGIT}分?)?|分)?(?![\d.,%折年月日天号点个角毛分]|{HAN_NUMBER})"
_COUNTS = re.compile(rf"\d|{HAN_NUMBER}")
_WIDE_THOUSANDS = re.compile(r"(?<=\d)，(?=\d{3}(?!\d))")
_TOGETHER = "一块"
"""Far more often means "together" than one yuan."""
_AMOUNT = re.compile(
    rf"(?<![\d.])(?<!\d,)(?:"
    rf"(?P<sign>{_any(_BEFORE)})\s?(?P<first>{_NUMBER})(?:\s?(?:元|块|yuan\b))?"
    rf"|(?P<second>{_NUMBER})\s?(?P<unit>{_any(_AFTER)})(?P<change>(?<=[元块塊]){_CHANGE})?"
    rf"|(?P<bare>\d{{1,8}}(?:\.\d{{1,4}})?[万亿](?![\d{HAN_NUMBER[1:-1]}人个次件米公里步字条年天名户家笔多]))"
    rf")(?![\d])"
)


def amounts(text: str) -> Iterator[Found]:
    """A number with its currency, and Chinese tens of thousands without one."""
    plain = folded(text)
    if not _COUNTS.search(plain):
        return
    for match in _AMOUNT.finditer(_WIDE_THOUSANDS.sub(",", plain)):
        if match.group() == _TOGETHER:
            continue
        if (value := to_decimal(match["first"] or match["second"] or match["bare"])) is not None:
            value += _change(match["change"] or "")
            currency = _BEFORE.get(match["sign"] or "") or _AFTER.get(match["unit"] or "")
            said = f"{value:.0f}" if value == int(value) else f"{value.normalize():f}"
            yield Found(*match.span(), f"{said} {currency}" if currency else said)


def _change(said: str) -> Decimal:
    """What comes after the yuan: 5毛, 五; of two the second one is the smaller."""
    total, unit = Decimal(0), "角"
    for digit, named in re.findall("([^角毛分])([角毛分]?)", said):
        number = to_decimal(digit)
        total += (number or Decimal(0)) * _PARTS[named or unit]
        unit = "分"
    return total
