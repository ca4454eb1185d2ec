"""Answers that were composed, checked and said before: given again to who asks the same, without asking a generator.

The same is asked where the same passages of the same release and bundle are to answer it, in the same language, with
the same numbers and the same words that turn a meaning (not, only, if), and the questions' vectors are as near as
`NEAR`. Questions that lean on others are not kept. Neither are anybody's words: of a question its vector, numbers and
turns.

How near: of pairs of short Chinese questions (FewCLUE's BUSTM, public test) that agree in numbers and turns, 81 % at
a cosine of .98 (the embedded encoder's) and above have the same meaning by their labels, 57 % at .92; of pairs that
hold the very same words, 74 %. Here the passages have to be the same as well.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from bot.inference.statement import read
from bot.inference.understanding import Live
from retrieval.embed import Vectors
from retrieval.fuse import normalised_cosine
from retrieval.types import Entry

NEAR = 0.9
"""Of two questions of one meaning, at least: 1 for the same text, about 0 for two texts of the bundle. On the example
bank a cosine of .98 by the embedded encoder, of .93 by the bank's own: encoders' cosines cannot be compared.
"""
KEPT = 2_000
"""Sets of passages, `EACH` answers for each: some 15 MB."""
EACH = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked. `vector`: float32 [dim], of length 1. `of`: release, bundle, language and entries."""

    of: tuple[str, ...]
    vector: Vectors
    floor: float
    """The bundle's mean cosine."""
    numbers: frozenset[str]
    turns: frozenset[str]

    @classmethod
    def by(cls, text: str, vector: Vectors, live: Live, entries: Sequence[Entry], *, lang: str) -> Asked:
        said = read(text)
        of = (live.release, live.knowledge, lang, *(entry.id for entry in entries))
        return cls(of, vector.copy(), live.bundle.contents.floor, said.numbers, said.turns)

    def is_asked_by(self, other: Asked) -> bool:
        alike = (self.numbers, self.turns) == (other.numbers, other.turns)
        return alike and bool(normalised_cosine(self.vector @ other.vector, self.floor) >= NEAR)


class Answers:
    """Of one process, bounded; for its event loop."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._said: OrderedDict[tuple[str, ...], list[tuple[Asked, str]]] = OrderedDict()

    def __len__(self) -> int:
        """Sets of passages with something to say again: none where no generator is asked that counts."""
        return len(self._said)

    def find(self, asked: Asked) -> str | None:
        for before, text in reversed(self._said.get(asked.of, ())):
            if before.is_asked_by(asked):
                self._said.move_to_end(asked.of)
                return text
        return None

    def keep(self, asked: Asked, text: str) -> None:
        self._said.setdefault(asked.of, []).append((asked, text))
        self._said.move_to_end(asked.of)
        del self._said[asked.of][:-EACH]
        if len(self._said) > self._kept:
            self._said.popitem(last=False)
