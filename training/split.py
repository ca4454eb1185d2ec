"""Which texts are learned from, which are chosen by, and which are judged by.

By label, so that each is on every side where it has texts enough; what belongs together (a conversation) on one side;
what has a time by time, the latest for the test. The same texts give the same split whatever their order.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil

from training.clean import Item, Name
from training.dataset import DatasetError, Row, Split

SHARED = 3
"""From so many texts of one label on, at least one of them is held out."""

LEAST_LEARNED = 2
"""Of a label and a language: one text alone has none that it should be near."""
_Stratum = tuple[bool, str, str, str]
"""Whether a label is no answer's, its task, the label, its language."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Of the texts, 0..1: together what is held out from training."""

    valid: float = 0.1
    test: float = 0.1

    @property
    def held(self) -> float:
        return self.valid + self.test


@dataclass(frozen=True, slots=True)
class _Unit:
    """Texts that stay together. `rank` is random and always the same; `at` is of the latest one, None: none has one."""

    items: tuple[Item, ...]
    rank: str
    at: datetime | None

    @property
    def names(self) -> set[Name]:
        return {name for item in self.items for name in item.names}

    @property
    def stratum(self) -> _Stratum:
        """What it counts for: the finest of its labels, which are answers, in its language."""
        return min(
            (one.task != "retrieval", one.task, one.row.label, one.row.lang or "")
            for item in self.items
            for one in item.rows
        )


def split(items: Iterable[Item], *, seed: int = 0, shares: Shares | None = None) -> dict[str, Split]:
    """The side of each item, by id. Each label keeps a text to learn from."""
    shares = shares or Shares()
    units = _units(items, seed)
    sides = dict(_by_time([unit for unit in units if unit.at is not None], shares))
    sides |= _by_label([unit for unit in units if unit.at is None], shares)
    _leave_one(units, sides)
    return {item.id: sides[unit.rank] for unit in units for item in unit.items}


def kept_back(items: Iterable[Item], *, share: float, seed: int = 0) -> set[str]:
    """Ids of the texts to learn from beyond this share (0..1) of each label and language. `LEAST_LEARNED` stay of each,
    and what belongs together stays together.
    """
    units = _units(items, seed)
    sides: dict[str, Split] = {unit.rank: "train" for unit in units}
    for members in _strata(units).values():
        sides |= {unit.rank: "test" for unit in members[max(ceil(share * len(members)), LEAST_LEARNED) :]}
    _leave_one(units, sides)
    return {item.id for unit in units if sides[unit.rank] == "test" for item in unit.items}


def _units(items: Iterable[Item], seed: int) -> list[_Unit]:
    """By rank."""
    together: dict[str, str] = {}

    def root(name: str) -> str:
        while (above := together.setdefault(name, name)) != name:
            together[name] = together[above]
            name = above
        return name

    members = sorted(items, key=lambda item: item.id)
    for item in members:
        for one in item.rows:
            if one.row.group is not None:
                together[root(f"group {one.row.group}")] = root(item.id)
    found: defaultdict[str, list[Item]] = defaultdict(list)
    for item in members:
        found[root(item.id)].append(item)
    return sorted((_unit(part, seed) for part in found.values()), key=lambda unit: unit.rank)


def _unit(items: Sequence[Item], seed: int) -> _Unit:
    rank = hashlib.sha256(f"{seed} {items[0].id}".encode()).hexdigest()
    times = [_time(one.row) for item in items for one in item.rows if one.row.at is not None]
    return _Unit(tuple(items), rank, max(times, default=None))


def _time(row: Row) -> datetime:
    try:
        at = datetime.fromisoformat(row.at or "")
    except ValueError:
        raise DatasetError(f"`at` is no ISO 8601 time: {row.at}.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _by_time(units: Sequence[_Unit], shares: Shares) -> Iterator[tuple[str, Split]]:
    """The latest for the test, those before them to choose by."""
    ordered = sorted(units, key=lambda unit: (unit.at, unit.rank), reverse=True)
    whole, done = sum(len(unit.items) for unit in units), 0
    for unit in ordered:
        part = (done + len(unit.items) / 2) / whole
        done += len(unit.items)
        yield unit.rank, "test" if part < shares.test else "valid" if part < shares.held else "train"


def _by_label(units: Sequence[_Unit], shares: Shares) -> Iterator[tuple[str, Split]]:
    """A share of each label and language; where that is one text, in turns (of a language) for the test and to choose
    by.
    """
    held, tested = Counter[str](), Counter[str]()
    for (*_, lang), members in sorted(_strata(units).items()):
        left = _held(members, shares)
        for unit in members:
            size = len(unit.items)
            if size > left:
                yield unit.rank, "train"
                continue
            left -= size
            held[lang] += size
            to_test = tested[lang] < shares.test / shares.held * held[lang]
            tested[lang] += size * to_test
            yield unit.rank, "test" if to_test else "valid"


def _strata(units: Sequence[_Unit]) -> dict[_Stratum, list[_Unit]]:
    strata: defaultdict[_Stratum, list[_Unit]] = defaultdict(list)
    for unit in units:
        strata[unit.stratum].append(unit)
    return strata


def _held(members: Sequence[_Unit], shares: Shares) -> int:
    """How many texts of a label are held out."""
    whole = sum(len(unit.items) for unit in members)
    least = 1 if whole >= SHARED and shares.held > 0 else 0
    return min(max(round(shares.held * whole), least), whole - 1)


def _leave_one(units: Sequence[_Unit], sides: dict[str, Split]) -> None:
    """A label that nothing is left of to learn from gets its earliest text back."""
    learned: set[Name] = set()
    for unit in units:
        if sides[unit.rank] == "train":
            learned |= unit.names
    dawn = datetime.min.replace(tzinfo=UTC)
    for unit in sorted(units, key=lambda unit: (unit.at or dawn, unit.rank)):
        if unit.names - learned:
            sides[unit.rank] = "train"
            learned |= unit.names
