"""Days as English says them: next Friday, May 3rd, the 15th, three days ago; and in numbers, 2024-05-01."""

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

Match = re.Match[str]

_MONTH_NAMES = "january february march april may june july august september october november december"
_DAY_NAMES = "monday tuesday wednesday thursday friday saturday sunday"
_NUMBERS = "one two three four five six seven eight nine ten eleven twelve"
_MONTHS = {
    form: number for number, name in enumerate(_MONTH_NAMES.split(), 1) for form in (name, name[:3])
} | {"sept": 9}
_WEEKDAYS = {name: number for number, name in enumerate(_DAY_NAMES.split())} | {
    **dict.fromkeys(("tue", "tues"), 1),
    **dict.fromkeys(("thu", "thur", "thurs"), 3),
    "fri": 4,
}
_NEAR = {
    "yesterday": -1,
    "today": 0,
    "tonight": 0,
    "tomorrow": 1,
    "tomorow": 1,
    "tmrw": 1,
    "tmr": 1,
    "last night": -1,
}
_HOLIDAYS: dict[str, tuple[int, int] | None] = {
    "new year's day": (1, 1),
    "valentine's day": (2, 14),
    "national day": (10, 1),
    "halloween": (10, 31),
    "singles' day": (11, 11),
    "christmas eve": (12, 24),
    "christmas day": (12, 25),
    "christmas": (12, 25),
    "new year's eve": (12, 31),
    **dict.fromkeys(("labour day", "labor day", "easter", "thanksgiving", "black friday"), None),
    **dict.fromkeys(("spring festival", "chinese new year", "lunar new year", "mid-autumn festival"), None),
    "dragon boat festival": None,
}
"""Month and day; None where they differ from year to year, or from country to country."""
_TURNS = {"last": -1, "past": -1, "previous": -1, "this": 0, "coming": 0, "next": 1}
_SMALL = {word: number for number, word in enumerate(_NUMBERS.split(), 1)} | {
    "a": 1,
    "an": 1,
    "a couple of": 2,
    "couple of": 2,
}
_UNITS: dict[str, Unit] = {"day": "days", "week": "weeks", "month": "months", "year": "years"}


def _any(words: dict[str, int]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_COUNT = rf"\d{{1,3}}|{_any(_SMALL)}"
_UNIT = "(?P<unit>day|week|month|year)s?"
_MONTH = rf"(?P<month>{_any(_MONTHS)})\.?"
_YEAR = r"(?:,? (?P<year>(?:19|20)\d\d))?"
_OF_DAY = "(?: (?:morning|afternoon|evening|night))?"
_NTH = "(?:st|nd|rd|th)"
_VERBS = ("may", "mar", "march", "sept", "sep", "jan", "dec", "jun", "jul", "oct", "nov", "apr", "aug", "feb")
_LONG = "|".join(name for name in _MONTH_NAMES.split() if name not in _VERBS)


def _in_numbers(match: Match, on: date) -> Days:
    return day(date(int(match["year"]), int(match["month"]), int(match["day"])))


def _either_way(match: Match, on: date) -> Days:
    """Day first unless that is no date: 12/31/2024."""
    first, second, year = int(match["first"]), int(match["second"]), full_year(int(match["year"]))
    return day(date(year, second, first) if second <= 12 else date(year, first, second))


def _near(match: Match, on: date) -> Days:
    return day(moved(on, _NEAR[match["near"]], "days"))


def _after_next(match: Match, on: date) -> Days:
    return day(moved(on, 2 if match["side"] == "after tomorrow" else -2, "days"))


def _of_week(match: Match, on: date) -> Days:
    """Next Friday is that of the next week; last Friday the one before today."""
    number, turn = _WEEKDAYS[match["day"]], match["turn"]
    if turn in ("last", "past", "previous"):
        return day(moved(weekday(on, number, weeks=None).first, -7, "days"))
    return weekday(on, number, weeks=1 if turn == "next" else None)


def _span(match: Match, on: date) -> Days:
    turn = _TURNS[match["turn"]]
    return weekend(on, turn) if match["unit"] == "weekend" else span(on, _UNITS[match["unit"]], turn)


def _away(match: Match, on: date) -> Days:
    sense = -1 if match["way"] in ("ago", "earlier") else 1
    return day(moved(on, sense * _number(match["count"]), _UNITS[match["unit"]]))


def _ahead(match: Match, on: date) -> Days:
    return day(moved(on, _number(match["count"]), _UNITS[match["unit"]]))


def _number(said: str) -> int:
    return int(said) if said.isdecimal() else _SMALL[said]


def _on_month(match: Match, on: date) -> Days:
    of = int(match["day"]) if match["day"] else None
    year = int(match["year"]) if match["year"] else None
    return dated(on, year=year, number=_MONTHS[match["month"]], of_month=of)


def _month(match: Match, on: date) -> Days:
    year = int(match["year"]) if match["year"] else None
    return dated(on, year=year, number=_MONTHS[match["month"]], of_month=None)


def _month_by_turn(match: Match, on: date) -> Days:
    """Last March is the one before today, next March the one after."""
    number, turn = _MONTHS[match["month"]], _TURNS[match["turn"]]
    year = on.year
    if turn < 0 and number >= on.month:
        year -= 1
    if turn > 0 and match["turn"] != "coming" and number <= on.month:
        year += 1
    return dated(on, year=year, number=number, of_month=None)


def _part(match: Match, on: date) -> Days:
    if match["month"]:
        there = dated(on, year=None, number=_MONTHS[match["month"]], of_month=None)
    else:
        there = span(on, _UNITS[match["unit"]], _TURNS[match["turn"]] if match["turn"] else 0)
    return begins(there) if match["part"] in ("beginning", "start") else ends(there)


def _this_weekend(match: Match, on: date) -> Days:
    return weekend(on, 0)


def _holiday(match: Match, on: date) -> Days | None:
    there = _HOLIDAYS[match["name"].replace("’", "'")]
    return None if there is None else every_year(on, *there)


def _of_month(match: Match, on: date) -> Days:
    return of_month(on, int(match["day"]), months=None)


def _word(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])")


RULES = [
    (
        re.compile(
            r"(?<![\d.-])(?P<year>(?:19|20)\d\d)(?P<sign>[-/.])(?P<month>\d{1,2})(?P=sign)(?P<day>\d{1,2})(?![\d-])"
        ),
        _in_numbers,
    ),
    (
        re.compile(
            r"(?<![\d./-])(?P<first>\d{1,2})(?P<sign>[/.-])(?P<second>\d{1,2})(?P=sign)(?P<year>(?:20)?\d\d)(?![\d/-])"
        ),
        _either_way,
    ),
    (_word(f"(?P<near>{_any(_NEAR)}){_OF_DAY}"), _near),
    (_word("(?:the )?day (?P<side>before yesterday|after tomorrow)"), _after_next),
    (_word(f"(?:(?P<turn>next|last|this|coming|past) )?(?P<day>{_any(_WEEKDAYS)}){_OF_DAY}"), _of_week),
    (_word("this (?:morning|afternoon|evening)"), lambda _, on: day(on)),
    (_word("the weekend"), _this_weekend),
    (
        _word(
            "(?:the )?(?P<part>beginning|start|end) of "
            rf"(?:(?:the |(?P<turn>this|last|next) )(?P<unit>month|year)|{_MONTH})"
        ),
        _part,
    ),
    (_word(f"(?P<turn>last|next|this|coming) {_MONTH}"), _month_by_turn),
    (_word(f"(?P<name>{'|'.join(_HOLIDAYS).replace(chr(39), f'[{chr(39)}’]')})"), _holiday),
    (_word("(?P<turn>next|last|this|past|previous) (?P<unit>week|month|year|weekend)"), _span),
    (_word(f"(?P<count>{_COUNT}) {_UNIT} (?P<way>ago|from now|earlier|later)"), _away),
    (_word(f"in (?P<count>{_COUNT}) {_UNIT}(?! time)"), _ahead),
    (_word(rf"(?:the )?(?P<day>\d{{1,2}}){_NTH}?(?: of)? {_MONTH}{_YEAR}"), _on_month),
    (_word(rf"{_MONTH} (?:the )?(?P<day>\d{{1,2}}){_NTH}?(?!:){_YEAR}"), _on_month),
    (_word(rf"(?<!\d )(?P<month>{_LONG}|(?<=in )(?:may|march)|(?<=last )(?:may|march)){_YEAR}"), _month),
    (_word(rf"the (?P<day>\d{{1,2}}){_NTH}(?! of (?!each|every))"), _of_month),
]
"""(what to look for, what it comes to), in texts that are folded."""
