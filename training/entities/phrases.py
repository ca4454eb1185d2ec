"""Phrases that are known: what a bot's folder lists, and what its examples call by a kind's name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from training.entities.entity import Place, atoms, folded
from training.entities.spec import Example, Specs

Phrase = tuple[str, ...]
"""Its atoms, folded."""
Said = Mapping[Phrase, Mapping[str, int]]
"""In how many examples a phrase stands under a kind."""


def phrase(text: str) -> Phrase:
    return tuple(folded(text[start:end]) for start, end in atoms(text))


_T = TypeVar("_T")


def inflected(words: Phrase) -> Iterator[Phrase]:
    """The phrase, and if it ends in an English word its plural or, if that is one, its singular."""
    yield words
    word = words[-1] if words else ""
    if len(word) < 3 or not (word.isascii() and word.isalpha()):
        return
    if word.endswith(("s", "x", "z", "ch", "sh")):
        forms = [word + "es"]
    else:
        forms = [word[:-1] + "ies" if word[-1] == "y" and word[-2] not in "aeiou" else word + "s"]
    if word.endswith("s") and not word.endswith("ss"):
        forms.append(word[:-1])
    for form in forms:
        yield (*words[:-1], form)


def lengths(phrases: Iterable[Phrase]) -> dict[str, int]:
    """By the word that phrases begin with, how many words the longest of them has."""
    found: dict[str, int] = {}
    for words in filter(None, phrases):
        found[words[0]] = max(found.get(words[0], 0), len(words))
    return found


def longest(
    known: Callable[[Phrase], _T | None], most: Mapping[str, int], words: Sequence[str]
) -> Iterator[tuple[_T, int, int]]:
    """What begins at a word, the longest of it; and from which word up to which. `most`: `lengths` of what is known."""
    at = 0
    while at < len(words):
        for length in range(min(most.get(words[at], 0), len(words) - at), 0, -1):
            if (found := known(tuple(words[at : at + length]))) is not None:
                yield found, at, at + length
                at += length - 1
                break
        at += 1


def said_in(examples: Iterable[Example], specs: Specs) -> Phrases:
    """Numbers are left out: what they are nobody can say by themselves."""
    found: dict[Phrase, dict[str, int]] = {}
    for example in examples:
        for words, kind in _own(example):
            kinds = found.setdefault(words, {})
            kinds[kind] = kinds.get(kind, 0) + 1
    return Phrases(found, frozenset(kind for kind, spec in specs.items() if spec.values))


def _own(example: Example) -> set[tuple[Phrase, str]]:
    pairs = {(phrase(example.text[span.start : span.end]), span.kind) for span in example.spans}
    return {(words, kind) for words, kind in pairs if any(word.isalpha() for word in words)}


class Phrases:
    """What examples said, looked for in texts. `listed`: kinds of which the folder has a list; what examples say of
    these is as good as listed.
    """

    def __init__(self, said: Said, listed: frozenset[str] = frozenset()) -> None:
        self.said, self.listed = said, listed
        self._most = lengths(said)

    def find(
        self, words: Sequence[str], places: Sequence[Place], *, own: Example | None = None
    ) -> Iterator[tuple[str, int, int]]:
        """Kind, and the first and last character's place. `own`: the example that is looked at; what it alone says
        nobody else knows, and so it is with texts that are new.
        """
        mine = _own(own) if own else set()

        def kinds(words: Phrase) -> list[str] | None:
            told = self.said.get(words)
            if told is None:
                return None
            return [kind for kind, count in told.items() if count > ((words, kind) in mine)] or None

        for found, first, last in longest(kinds, self._most, words):
            for kind in found:
                yield kind, places[first][0], places[last - 1][1]


NOTHING_SAID = Phrases({})
