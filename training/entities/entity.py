"""What is found in a text: kind, place, and what it comes to. Places are characters of the text as it was written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from retrieval.text import HAN

Place = tuple[int, int]
"""First character, and the one after the last."""


@dataclass(frozen=True, slots=True)
class Entity:
    """`text` is `said[start:end]` of the message. `source`: who found it.

    `value` in one form: amounts as `1200.5 CNY` (no currency where none was said), dates as ISO 8601 (`2026-05-03`, of
    several days `2026-05-03/2026-05-09`), telephones as E.164, cards by their digits, values of a list by its name.
    None where nobody could work it out.
    """

    kind: str
    text: str
    start: int
    end: int
    value: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a recogniser found: where, and what it comes to."""

    start: int
    end: int
    value: str | None


class _Fold(dict[int, int]):
    """One character for one, so that places stay: full-width to plain, small letters. Filled as characters come."""

    def __missing__(self, code: int) -> int:
        char = chr(code)
        plain = unicodedata.normalize("NFKC", char).casefold()
        # A Chinese comma parts what it stands between; a plain one may stand inside of a number.
        kept = code if len(plain) != 1 or char in "，。：；！？（）" else ord(plain)
        if code < _COMMON:
            self[code] = kept
        return kept


_COMMON = 0x10000
_FOLD = _Fold()


def folded(text: str) -> str:
    """In small letters and plain width, as long as `text`: what stands at a place here stands there."""
    return text.translate(_FOLD)


ATOM = re.compile(rf"[{HAN}]|[^\W\d_{HAN}]+|\d+|[^\w\s]|_")


def atoms(text: str) -> list[Place]:
    """What entities are made of: words, numbers, single Chinese characters, single signs; blanks belong to none."""
    return [match.span() for match in ATOM.finditer(text)]


def apart(found: Iterable[Entity]) -> tuple[Entity, ...]:
    """In order of their places; of those that overlap the one that came first is kept."""
    kept: list[Entity] = []
    taken: set[int] = set()
    for entity in found:
        places = range(entity.start, entity.end)
        if places and taken.isdisjoint(places):
            taken.update(places)
            kept.append(entity)
    return tuple(sorted(kept, key=lambda entity: entity.start))
