"""Numbers as people write them, to decimals: Chinese numerals by cn2an, thousands and decimals by price-parser."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

DIGITS = r"\d{1,3}(?:,\d{3}){1,5}(?:\.\d{1,4})?|\d{1,3}(?:\.\d{3}){1,5},\d{2}|\d{1,15}(?:\.\d{1,4})?"
"""Of an amount: 1,200.50, 1.200,50, 1200.5."""
HAN_NUMBER = "[零〇一二两兩三四五六七八九十百千万萬亿億壹贰貳叁參肆伍陆陸柒捌玖拾佰仟]"
_ENGLISH = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million dozen"
)
_WORD = rf"(?:{'|'.join(_ENGLISH.split())})"
_SIMPLE = str.maketrans("兩萬億貳參陸", "两万亿贰叁陆")
_TIMES = {"k": 10**3, "thousand": 10**3, "w": 10**4, "m": 10**6, "million": 10**6}
TIMES = "|".join(sorted(_TIMES, key=len, reverse=True))
_HAN = re.compile(r"[^\d.,\sa-z]")


NUMBER = re.compile(
    rf"(?:{DIGITS})(?:\s?(?:{TIMES})(?![a-z])|[万亿])?|{HAN_NUMBER}{{1,24}}"
    rf"|(?<![a-z])(?:an? )?{_WORD}(?:[ -](?:and )?{_WORD}){{0,7}}(?![a-z])"
)
"""Whatever is counted or named by it, in folded text."""


def to_decimal(said: str) -> Decimal | None:
    """`said` folded: 三千五百, 1.2万, 1,200.50, 20k; None where it is no number."""
    number, times = _parted(said.strip().translate(_SIMPLE))
    value = _chinese(number) if _HAN.search(number) else _western(number)
    return None if value is None else value * times


def _parted(said: str) -> tuple[str, int]:
    for word, times in _TIMES.items():
        if said.endswith(word):
            return said.removesuffix(word).rstrip(), times
    return said, 1


def _chinese(number: str) -> Decimal | None:
    import cn2an

    try:
        return Decimal(str(cn2an.cn2an(number.replace(",", "").replace(" ", ""), "smart")))
    except (ValueError, KeyError, IndexError, InvalidOperation):
        return None


def _western(number: str) -> Decimal | None:
    from price_parser import parse_price

    amount: Decimal | None = parse_price(number).amount
    return amount
