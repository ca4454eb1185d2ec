"""How well entities are found: an entity counts where kind and both ends are right, as in CoNLL's measure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from training.entities.spec import Span

Pair = tuple[Sequence[Span], Sequence[Span]]
"""What is there, and what was found, in one text."""


@dataclass(frozen=True, slots=True)
class Counts:
    """`right` of `there`, and `found` in all."""

    right: int = 0
    there: int = 0
    found: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.right + other.right, self.there + other.there, self.found + other.found)

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.there if self.there else 0.0

    @property
    def f1(self) -> float:
        """0..1; 1 where nothing is there and nothing was found."""
        both = self.there + self.found
        return 2 * self.right / both if both else 1.0


def count(there: Iterable[Span], found: Iterable[Span]) -> Counts:
    """A span that is told twice counts once."""
    gold, told = set(there), set(found)
    return Counts(len(gold & told), len(gold), len(told))


def f1(pairs: Iterable[Pair]) -> float:
    """Micro F1 over all texts and kinds, 0..1."""
    return sum((count(there, found) for there, found in pairs), Counts()).f1


def by_kind(pairs: Sequence[Pair]) -> dict[str, Counts]:
    kinds = sorted({span.kind for pair in pairs for part in pair for span in part})

    def only(kind: str, part: Sequence[Span]) -> list[Span]:
        return [span for span in part if span.kind == kind]

    return {
        kind: sum((count(only(kind, there), only(kind, found)) for there, found in pairs), Counts())
        for kind in kinds
    }
