"""What a bot folder says of its entities, and where they stand. No more than that is needed to read a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FORMS = ("email", "card_number", "phone", "date", "amount")
"""Recognisers, in the order in which they have their way where they overlap."""
PATTERN_SIGNS = {"#": r"\d", "@": "[a-z]", "*": "[a-z0-9]"}
"""What stands for a digit, a letter, either: a pattern has nothing else that is not itself."""


@dataclass(frozen=True, slots=True)
class KindSpec:
    """How entities of one kind are found, beside what annotated examples teach."""

    recogniser: str | None = None
    """One of `FORMS`."""
    patterns: tuple[str, ...] = ()
    """Numbers of the house: `LW########`, by the signs of `PATTERN_SIGNS`."""
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Name of each value, and how it is said."""


Specs = Mapping[str, KindSpec]
"""By the name of the kind."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters of a text, from `start` up to `end`, and of which kind they are."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Example:
    """A text in which somebody marked all entities; none: there is nothing in it."""

    text: str
    spans: tuple[Span, ...]
