"""The calendar's arithmetic for what people say: days and spans of days around today. Pure; dateutil does the sums."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from dateutil.relativedelta import relativedelta

Unit = Literal["days", "weeks", "months", "years"]


@dataclass(frozen=True, slots=True)
class Days:
    """From `first` to `last`, both among them."""

    first: date
    last: date

    @property
    def iso(self) -> str:
        """ISO 8601: one day, or first/last."""
        first = self.first.isoformat()
        return first if self.first == self.last else f"{first}/{self.last.isoformat()}"


def moved(on: date, number: int, unit: Unit) -> date:
    """Raises ValueError, OverflowError beyond the calendar's years."""
    match unit:
        case "days":
            return on + relativedelta(days=number)
        case "weeks":
            return on + relativedelta(weeks=number)
        case "months":
            return on + relativedelta(months=number)
        case "years":
            return on + relativedelta(years=number)


def day(on: date) -> Days:
    return Days(on, on)


def weekday(on: date, number: int, *, weeks: int | None) -> Days:
    """Monday is 0. `weeks`: of the week so far from this one; None: the next such day, today among them."""
    if weeks is None:
        return day(on + timedelta((number - on.weekday()) % 7))
    return day(_monday(on) + timedelta(7 * weeks + number))


def span(on: date, unit: Unit, number: int) -> Days:
    """The whole week, month or year that lies `number` from this one."""
    there = moved(on, number, unit)
    if unit == "weeks":
        return Days(_monday(there), _monday(there) + timedelta(6))
    if unit == "months":
        return month(there.year, there.month)
    return Days(date(there.year, 1, 1), date(there.year, 12, 31)) if unit == "years" else day(there)


def weekend(on: date, weeks: int) -> Days:
    saturday = _monday(on) + timedelta(7 * weeks + 5)
    return Days(saturday, saturday + timedelta(1))


def month(year: int, number: int) -> Days:
    first = date(year, number, 1)
    return Days(first, first + relativedelta(months=1, days=-1))


def dated(on: date, *, year: int | None, number: int, of_month: int | None) -> Days:
    """A day of a month, or the month. A year that was not said is the one that brings it nearest to `on`."""
    years = (year,) if year else (on.year - 1, on.year, on.year + 1)
    found = [found for one in years if (found := _in_year(one, number, of_month)) is not None]
    if not found:
        raise ValueError("no such day")
    return min(found, key=lambda days: abs((days.first - on).days))


def of_month(on: date, number: int, *, months: int | None) -> Days:
    """The day of the month that lies `months` from this one; None: of this, the last or the next, the nearest."""
    if months is not None:
        there = moved(on.replace(day=1), months, "months")
        return day(there.replace(day=number))
    around = (moved(on.replace(day=1), shift, "months") for shift in (-1, 0, 1))
    found = [
        there.replace(day=number) for there in around if number <= month(there.year, there.month).last.day
    ]
    return day(min(found, key=lambda there: abs((there - on).days)))


def begins(there: Days) -> Days:
    """The first week of a month, the first month of a year."""
    if there.first.month == there.last.month:
        return Days(there.first, there.first + timedelta(6))
    return month(there.first.year, there.first.month)


def ends(there: Days) -> Days:
    """The last week of a month, the last month of a year."""
    if there.first.month == there.last.month:
        return Days(there.last - timedelta(6), there.last)
    return month(there.last.year, there.last.month)


def every_year(on: date, number: int, of_month: int) -> Days:
    """A day that comes each year: the next one, or the one before where that was less than a month ago."""
    years = (date(year, number, of_month) for year in (on.year - 1, on.year, on.year + 1))
    return day(next(there for there in years if there >= on - timedelta(30)))


def full_year(said: int) -> int:
    """24 is 2024."""
    return said if said >= 100 else 2000 + said


def _in_year(year: int, number: int, of: int | None) -> Days | None:
    try:
        return month(year, number) if of is None else day(date(year, number, of))
    except ValueError:  # 29 February
        return None


def _monday(on: date) -> date:
    return on - timedelta(on.weekday())
