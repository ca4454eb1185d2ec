"""Whether two passages contradict each other about one thing: the same said with another number, or denied. Pure.

Told by their words, and rather too seldom: a card's fee and another card's are no contradiction. Two sentences speak of
one thing where one of them says hardly anything that the other does not; of a question's words neither may have one that
the other lacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bot.inference.statement import Statement, read
from retrieval.sentences import split_sentences
from retrieval.text import tokens

ALIKE = 0.8
"""Share of the words of the sentence that says less which the other one has too."""
LEAST = 2
"""Words that they share at least."""
_DENIALS = frozenset(("not", "no", "never", "none", "nothing", "without", "cannot", *"不没无未勿"))


@dataclass(frozen=True, slots=True)
class Difference:
    """A sentence of either passage."""

    first: str
    second: str


def difference(question: str, first: str, second: str, lang: str) -> Difference | None:
    """The first pair of sentences of the two texts that cannot both be true."""
    asked = frozenset(tokens(question))
    others = [(text, read(text), _words(text)) for text in split_sentences(second, lang)]
    for one in split_sentences(first, lang):
        said, words = read(one), _words(one)
        for other, its, its_words in others:
            if _of_one_thing(words, its_words, asked) and (_numbers_differ(said, its) or _denied(said, its)):
                return Difference(one, other)
    return None


def _words(text: str) -> frozenset[str]:
    """What it is about: stems, and pairs of Chinese characters, without numbers."""
    said = read(text)
    return said.words.union("".join(pair) for run in said.runs for pair in pairwise(run))


def _of_one_thing(one: frozenset[str], other: frozenset[str], asked: frozenset[str]) -> bool:
    shared = one & other
    if len(shared) < LEAST or (one ^ other) & asked:
        return False
    return len(shared) >= ALIKE * min(len(one), len(other))


def _numbers_differ(one: Statement, other: Statement) -> bool:
    """Beside the same word ("3 days", "5 days") they have numbers, and none of them is the same."""
    ones, others = _by_word(one), _by_word(other)
    return any(ones[word].isdisjoint(others[word]) for word in ones.keys() & others.keys())


def _by_word(said: Statement) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for number, word in said.bound:
        found.setdefault(word, set()).add(number)
    return found


def _denied(one: Statement, other: Statement) -> bool:
    """One denies and the other does not, with the same numbers."""
    return one.numbers == other.numbers and bool(one.turns & _DENIALS) != bool(other.turns & _DENIALS)


def disagreeing(question: str, texts: Sequence[str], lang: str) -> tuple[int, int, Difference] | None:
    """Places of the first two of `texts` that contradict each other, and where."""
    for place, text in enumerate(texts):
        for other in range(place + 1, len(texts)):
            if (found := difference(question, text, texts[other], lang)) is not None:
                return place, other, found
    return None
