"""Days and spans of days in a text: today, 下周三, 2024-05-01, 5月3号, next Friday, 三天前, May 3rd to May 7th.

What was not said (a year, a month) is taken as near to today as can be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from training.entities import dates_en, dates_zh
from training.entities.calendar import Days
from training.entities.entity import Found, folded

_TO = re.compile(r"\s?(?:到|至|~|–|—|-)\s?| (?:to|until|till|through) ")
_PLAIN = re.compile("[a-z0-9]")

_Dated = tuple[int, int, Days | None]
"""First character, the one after the last, and the days; None for a holiday whose day the moon tells."""


def dates(text: str, on: date) -> Iterator[Found]:
    """`on`: the day on which it was written."""
    plain = folded(text)
    before: _Dated | None = None
    for found in _leftmost(plain, on):
        if before is not None and (joined := _joined(plain, before, found)):
            before = joined
            continue
        if before is not None:
            yield _told(before)
        before = found
    if before is not None:
        yield _told(before)


def _told(found: _Dated) -> Found:
    return Found(found[0], found[1], found[2].iso if found[2] else None)


def _leftmost(plain: str, on: date) -> Iterator[_Dated]:
    """Of those that overlap the one that begins first, and of these the longest."""
    end = 0
    for found in sorted(_all(plain, on), key=lambda found: (found[0], -found[1])):
        if found[0] >= end:
            end = found[1]
            yield found


def _all(plain: str, on: date) -> Iterator[_Dated]:
    # Nothing is a day in Chinese without one of its characters, nor in English without a letter or a digit.
    rules = (
        *(() if plain.isascii() else dates_zh.RULES),
        *(dates_en.RULES if _PLAIN.search(plain) else ()),
    )
    for pattern, read in rules:
        for match in pattern.finditer(plain):
            try:
                yield *match.span(), read(match, on)
            except (ValueError, OverflowError):  # 31 June
                continue


def _joined(plain: str, before: _Dated, found: _Dated) -> _Dated | None:
    """From one day to a later one."""
    between = plain[before[1] : found[0]]
    if before[2] is None or found[2] is None or len(between) >= 10 or not _TO.fullmatch(between):
        return None
    days = Days(before[2].first, found[2].last)
    return (before[0], found[1], days) if days.first <= days.last else None
