"""One slip in an English word: a letter swapped with the next, left out, doubled, or struck beside its key.

A word that nobody knows becomes the own word of the bot's texts that is one slip away and fits best between its
neighbours there (a noisy channel, as in Kernighan, Church, Gale 1990). What is known is left alone.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from retrieval.slips.keyboard import neighbours

WORD = re.compile(r"[^\W\d_]+")

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_VOWELS = frozenset("aeiouy")
_BEGIN, _END = "^", "$"

_USUAL, _VOWEL, _ODD = 0.0, -0.7, -1.5
"""What is added to the likelihood's logarithm: for a slip as above, for a vowel written for another one in a long word,
and for any other letter."""
_LONG = 6
_KNOWN = 1_000_000
"""From this count on a word of the general list is one that people use; rarer ones may be slips ("fard")."""
_FREQUENT = 2_000_000
"""From this count on it may stand for an unknown word though the bot's texts do not have it."""
_SHORT, _SHORTEST = 4, 3
"""Letters. Of so few nearly every run is one slip away from some word."""
_OFTEN = 5
"""Times that the bot's texts say a word that a short one may be taken for, whatever stands beside it; and a rare one,
with one of its neighbours."""
_SURER = 5.0
"""How much likelier (logarithm) another word must be than a rare one that was written."""
_SHARE, _GENERAL = 0.6, 3_000
"""Of pairs of neighbours beside single words; of the general list, in words of the bot's texts."""
_TINY = 1e-9


class English:
    """Immutable, and safe in any number of threads. About 15 MB for the general list, which all share."""

    def __init__(self, own: Mapping[str, int], pairs: Mapping[tuple[str, str], int]) -> None:
        """How often the bot's texts say a word, and two one after the other."""
        self.own, self.pairs = Counter(own), Counter(pairs)
        self._words = self.own.total() + _GENERAL
        # Read here, not on the loop when the first message comes.
        self._general, self._all_general, _ = _general(), _all_general(), neighbours()

    @classmethod
    def of(cls, texts: Iterable[str]) -> English:
        """`texts` as `retrieval.text.as_read` gives them."""
        own: Counter[str] = Counter()
        pairs: Counter[tuple[str, str]] = Counter()
        for text in texts:
            words = [_BEGIN, *WORD.findall(text), _END]
            own.update(words)
            pairs.update(pairwise(words))
        return cls(own, pairs)

    def mended(self, words: Sequence[str], at: int) -> str | None:
        """What the word at that place was meant to be; None: what it is."""
        word = words[at]
        if len(word) < _SHORTEST or not (word.isascii() and word.isalpha()) or self._known(word):
            return None
        rare = bool(self._general.get(word) or self.own[word])
        before = words[at - 1] if at else _BEGIN
        after = words[at + 1] if at + 1 < len(words) else _END
        found = {
            other: self._likelihood(before, other, after) + slip
            for other, slip in slips(word).items()
            if self._may_stand(word, other, slip, rare=rare, beside=(before, after))
        }
        if not found:
            return None
        best = max(sorted(found), key=lambda other: found[other])
        surer = found[best] - self._likelihood(before, word, after)
        return best if not rare or surer >= _SURER else None

    def _known(self, word: str) -> bool:
        """Said by the bot's texts more than once, or by people in general; "traveling" is "travelling" over there."""
        often = max(
            self._general.get(word, 0), self._general.get(re.sub("l(ing|ed|ers?)$", r"ll\1", word), 0)
        )
        return self.own[word] > 1 or often >= _KNOWN or bool(self.own[word] and often)

    def _may_stand(self, word: str, other: str, slip: float, *, rare: bool, beside: tuple[str, str]) -> bool:
        before, after = beside
        own, general = self.own[other], self._general.get(other, 0)
        fits = ((before, other) in self.pairs) + ((other, after) in self.pairs)
        # That a text may begin or end with it says little.
        said = self.pairs[before, other] * (before != _BEGIN) + self.pairs[other, after] * (after != _END)
        if slip <= _ODD and fits == 1:
            fits = min(said, 1)
        if len(other) < _SHORTEST or (len(word) == _SHORTEST == len(other) and sorted(other) != sorted(word)):
            return False
        if len(other) == _SHORTEST < len(word) and slip <= _ODD:
            return False
        if rare:
            ending = other.startswith(word) or word.startswith(other)
            usual = slip > _ODD and len(word) >= _SHORT and own >= _OFTEN and said > 0
            return not ending and (usual or (own > 1 and fits == len(beside)))
        if not fits and (slip <= _ODD or (len(word) <= _SHORT and own < _OFTEN)):
            return False
        return own > 1 or bool(own and general) or (len(word) > _SHORT and general >= _FREQUENT)

    def _likelihood(self, before: str, word: str, after: str) -> float:
        return sum(
            math.log(
                _SHARE * self.pairs[first, second] / max(self.own[first], 1)
                + (1 - _SHARE) * self._share(second)
                + _TINY
            )
            for first, second in ((before, word), (word, after))
        )

    def _share(self, word: str) -> float:
        return (self.own[word] + _GENERAL * self._general.get(word, 0) / self._all_general) / self._words


def slips(word: str) -> Mapping[str, float]:
    """Every run of letters that may have become this one by a single slip, with the slip's weight."""
    found: dict[str, float] = {}
    for other, weight in _slips(word):
        if other != word and found.get(other, -math.inf) < weight:
            found[other] = weight
    return found


def _slips(word: str) -> Iterator[tuple[str, float]]:
    for at in range(len(word) + 1):
        left, right = word[:at], word[at:]
        yield from ((left + letter + right, _USUAL) for letter in _LETTERS)
        if not right:
            return
        struck, rest = right[0], right[1:]
        yield left + rest, _USUAL if struck in (left[-1:], rest[:1]) else _ODD
        if rest:
            yield left + rest[0] + struck + rest[1:], _USUAL
        yield from ((left + letter + rest, _struck(letter, struck, len(word))) for letter in _LETTERS)


def _struck(meant: str, struck: str, length: int) -> float:
    if meant in neighbours()[struck]:
        return _USUAL
    return _VOWEL if length >= _LONG and {meant, struck} <= _VOWELS else _ODD


@lru_cache(maxsize=1)
def _general() -> Mapping[str, int]:
    """The general list with its counts (symspellpy's, of 82,000 words). The library itself would index each word's
    deletions, for 70 MB; slips of the few unknown words are looked up here in microseconds. Blocking.
    """
    spec = find_spec("symspellpy")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "frequency_dictionary_en_82_765.txt"
    rows = (line.partition(" ") for line in path.read_text("utf-8-sig").splitlines())
    return {word: int(count) for word, _, count in rows}


@lru_cache(maxsize=1)
def _all_general() -> int:
    return sum(_general().values())
