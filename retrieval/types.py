"""What travels in and out of retrieval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from retrieval.embed import Vectors

_PASSAGE_HAN = 120
_PASSAGE_LATIN = 320


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored question with its answer. `id` is the database's own; `key` names the topic across
    languages.
    """

    id: str
    key: str
    lang: str
    question: str
    answer: str
    title: str = ""
    intent: str | None = None
    alternatives: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    """Last day on which the answer holds, inclusive."""
    url: str | None = None
    audience: tuple[str, ...] = ()
    """Who may hear it, by names that channels bear too; none: everybody."""

    @property
    def phrases(self) -> tuple[str, ...]:
        """The question and its alternative phrasings: what a message is compared with."""
        return (self.question, *self.alternatives)

    @property
    def passage(self) -> str:
        """Title and the start of the answer: what a message is compared with besides. Empty without an
        answer.

        About as much as an encoder reads; a longer one only costs time (measured: no better).
        """
        start = self.answer[: _PASSAGE_HAN if self.lang == "zh" else _PASSAGE_LATIN].strip()
        return "\n".join(part for part in (self.title, start) if part) if start else ""

    @property
    def texts(self) -> tuple[str, ...]:
        """All that wants a vector: every phrasing, then the passage."""
        return (*self.phrases, self.passage) if self.passage else self.phrases


@dataclass(frozen=True, slots=True)
class Query:
    """A question as search sees it. `vector` is float32 [dim], unit length."""

    text: str
    vector: Vectors
    lang: str | None = None
    """Soft: other languages rank below. None: no preference."""
    on: date | None = None
    """Answers not valid on that day are left out."""
    audience: frozenset[str] | None = None
    """Who asks: answers that are for others alone are left out. None: whoever, nothing is left out."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry found, with the evidence. Scores of different kinds are not comparable with one another."""

    entry: Entry
    score: float
    """Fused; larger is better; for ranking only."""
    dense: float
    """Cosine of the best phrasing, -1..1."""
    lexical: float
    """BM25 of the best phrasing, >= 0; 0 where no term is shared."""
    phrase: str
    """The stored phrasing that matched best."""
    coverage: float = 0.0
    """Share (0..1) of the message's lexical weight (sum of IDF over its terms) that this phrasing also
    holds.
    """
    passage: float = 0.0
    """Cosine of the entry's title and answer; 0 where the bundle has no vector of them."""
    passage_coverage: float = 0.0
    """As `coverage`, of the title and answer."""
    exact: bool = False
    """The normalised text is identical to a stored phrasing."""
