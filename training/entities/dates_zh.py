"""Days as Chinese says them: 下周三, 5月3号, 上个月15号, 三天前, 明天."""

from __future__ import annotations

import re
from datetime import date

from training.entities.calendar import (
    Days,
    Unit,
    begins,
    dated,
    day,
    ends,
    every_year,
    full_year,
    moved,
    of_month,
    span,
    weekday,
    weekend,
)
from training.entities.numbers import HAN_NUMBER, to_decimal

Match = re.Match[str]

_COUNT = rf"\d{{1,3}}|{HAN_NUMBER}{{1,4}}|半"
_TWO = rf"\d{{1,2}}|{HAN_NUMBER}{{1,3}}"
_SIGN = "[〇零一二三四五六七八九]"
_TURNS = {"上上": -2, "上": -1, "本": 0, "这": 0, "這": 0, "下": 1, "下下": 2}
_TURN = "上上|下下|上|下|本|这|這"
_WEEK = "周|週|星期|礼拜|禮拜"
_WEEKDAYS = {sign: number for number, sign in enumerate("一二三四五六日")} | {"天": 6}
_NEAR = {"大前": -3, "前": -2, "昨": -1, "今": 0, "明": 1, "后": 2, "後": 2, "大后": 3, "大後": 3}
_YEARS = {"前": -2, "去": -1, "今": 0, "本": 0, "明": 1, "后": 2}
_UNITS: dict[str, Unit] = {
    **dict.fromkeys(("天", "日"), "days"),
    **dict.fromkeys(("周", "星期", "礼拜", "禮拜"), "weeks"),
    "月": "months",
    "年": "years",
}
_HALF: dict[str, tuple[int, Unit]] = {"年": (6, "months"), "月": (15, "days")}
_TENS = "[二三]?十[一二三四五六七八九]?"
_HOLIDAYS: dict[str, tuple[int, int] | None] = {
    **dict.fromkeys(("元旦", "元旦节", "元旦節"), (1, 1)),
    **dict.fromkeys(("五一", "劳动节", "勞動節"), (5, 1)),
    **dict.fromkeys(("国庆", "國慶", "国庆节", "國慶節"), (10, 1)),
    **dict.fromkeys(("双十一", "双11", "雙十一"), (11, 11)),
    **dict.fromkeys(("双十二", "双12", "雙十二"), (12, 12)),
    **dict.fromkeys(("圣诞", "圣诞节", "聖誕節"), (12, 25)),
    **dict.fromkeys(("春节", "春節", "除夕", "大年三十", "大年初一", "元宵", "元宵节", "元宵節"), None),
    **dict.fromkeys(("清明", "清明节", "清明節", "端午", "端午节", "端午節", "七夕"), None),
    **dict.fromkeys(("中秋", "中秋节", "中秋節", "重阳节", "重陽節"), None),
}
"""Month and day; None where the moon decides."""
_OF_DAY = "(?:早上|上午|中午|下午|傍晚|晚上|夜里|凌晨)?"


def _number(said: str) -> int:
    value = to_decimal(said)
    if value is None:
        raise ValueError("no number")
    return int(value)


def _year(said: str | None, on: date) -> int | None:
    if said is None:
        return None
    if said in _YEARS:
        return on.year + _YEARS[said]
    return full_year(int("".join(sign if sign.isdecimal() else str(_number(sign)) for sign in said)))


def _on_month(match: Match, on: date) -> Days:
    of = _number(match["day"]) if match["day"] else None
    return dated(on, year=_year(match["year"], on), number=_number(match["month"]), of_month=of)


def _in_month(match: Match, on: date) -> Days:
    months = _TURNS[match["turn"]]
    return of_month(on, _number(match["day"]), months=months) if match["day"] else span(on, "months", months)


def _of_month(match: Match, on: date) -> Days:
    return of_month(on, _number(match["day"]), months=None)


def _near(match: Match, on: date) -> Days:
    return day(moved(on, _NEAR[match["near"] or match["short"]], "days"))


def _of_week(match: Match, on: date) -> Days:
    turn = _TURNS[match["turn"]] if match["turn"] else None
    if match["day"] == "末":
        return weekend(on, turn or 0)
    return weekday(on, _WEEKDAYS[match["day"]], weeks=turn)


def _week(match: Match, on: date) -> Days:
    return span(on, "weeks", _TURNS[match["turn"]])


def _away(match: Match, on: date) -> Days:
    sense = -1 if "前" in match["way"] else 1
    if match["count"] == "半":
        number, unit = _HALF[match["unit"]]
        return day(moved(on, sense * number, unit))
    return day(moved(on, sense * _number(match["count"]), _UNITS[match["unit"]]))


def _whole_year(match: Match, on: date) -> Days:
    return span(on, "years", _YEARS[match["year"]])


def _part_of_month(match: Match, on: date) -> Days:
    if match["month"]:
        there = dated(on, year=None, number=_number(match["month"]), of_month=None)
    else:
        there = span(on, "months", _TURNS[match["turn"]] if match["turn"] else 0)
    return begins(there) if match["part"] == "初" else ends(there)


def _part_of_year(match: Match, on: date) -> Days:
    year = span(on, "years", _YEARS[match["year"]] if match["year"] else 0)
    return begins(year) if match["part"] == "初" else ends(year)


def _half_year(match: Match, on: date) -> Days:
    year = on.year + (_YEARS[match["year"]] if match["year"] else 0)
    return (
        Days(date(year, 1, 1), date(year, 6, 30))
        if match["half"] == "上"
        else Days(date(year, 7, 1), date(year, 12, 31))
    )


def _year_said(match: Match, on: date) -> Days:
    return span(date(int(match["year"]), 1, 1), "years", 0)


def _holiday(match: Match, on: date) -> Days | None:
    there = _HOLIDAYS[match["name"]]
    return None if there is None else every_year(on, *there)


RULES = [
    (
        re.compile(
            rf"(?:(?P<year>(?<!\d)(?:19|20)?\d\d|{_SIGN}{{4}}|{_SIGN}{{2}}|今|去|明|前)年的?)?"
            rf"(?<![\d个個])(?P<month>{_TWO})月份?(?:(?P<day>{_TWO})(?:[日号號]|(?![\d个個天{HAN_NUMBER[1:-1]}])))?{_OF_DAY}"
        ),
        _on_month,
    ),
    (re.compile(rf"(?P<turn>{_TURN})[个個]?月份?的?(?:(?P<day>{_TWO})[日号號]{_OF_DAY})?"), _in_month),
    (
        re.compile(
            rf"(?:(?P<month>{_TWO})月份?|(?:(?P<turn>{_TURN})[个個]?)?月)(?P<part>[底末初])(?![一二三四五六七八九十])"
        ),
        _part_of_month,
    ),
    (
        re.compile(rf"(?<![\d{HAN_NUMBER[1:-1]}])(?:(?P<year>[今去明前])年?)?年(?P<part>[底末初])"),
        _part_of_year,
    ),
    (re.compile("(?:(?P<year>[今去明前])年)?(?P<half>[上下])半年"), _half_year),
    (re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d)年(?![\d个個])"), _year_said),
    (
        re.compile(
            rf"(?<![{HAN_NUMBER[1:-1]}])(?P<name>{'|'.join(sorted(_HOLIDAYS, key=len, reverse=True))})"
            rf"(?![{HAN_NUMBER[1:-1]}])"
        ),
        _holiday,
    ),
    (
        re.compile(
            rf"(?<![\d第.月{HAN_NUMBER[1:-1]}])(?P<day>\d{{1,2}}|{_TENS})[号號](?![线線楼樓店门門馆院]){_OF_DAY}"
        ),
        _of_month,
    ),
    (
        re.compile(rf"(?P<near>大前|大后|大後|前|昨|今|明|后|後)[天日]{_OF_DAY}|(?P<short>昨|今|明)[早晚]"),
        _near,
    ),
    (
        re.compile(rf"(?:(?P<turn>{_TURN})[个個]?)?(?:{_WEEK})(?P<day>[一二三四五六日天末]){_OF_DAY}"),
        _of_week,
    ),
    (re.compile(rf"(?P<turn>{_TURN})[个個]?(?:{_WEEK})(?![一二三四五六日天末])"), _week),
    (
        re.compile(
            rf"(?<!\d)(?P<count>{_COUNT})[个個]?(?P<unit>天|日|{_WEEK}|月|年)(?P<way>[以之]?[前后後])"
        ),
        _away,
    ),
    (re.compile("(?P<year>今|去|明|前|本)年(?!轻)"), _whole_year),
]
"""(what to look for, what it comes to), in texts that are folded."""
