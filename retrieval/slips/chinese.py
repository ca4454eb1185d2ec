"""One wrong character in a Chinese text: another one of the same sound, or of nearly the same, was picked.

A character is taken for another one where that makes a word which the bot's own texts have, out of characters that were
no word together, and where runs of three characters in these texts make it much the likelier one.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from retrieval.slips.sounds import alike
from retrieval.text import HAN

RUN = re.compile(f"[{HAN}]{{2,}}")
_BEGIN, _END = "^", "$"

_LIKELIER, _MUCH_LIKELIER = 5.0, 10.0
"""By how much (logarithm) the other character must be likelier: where fewer words remain, and where as many do."""
_OFTEN = 3
"""Times that the bot's texts say a word by which as many words remain."""
_NEARLY = 1.5
"""Taken off for a sound that is only nearly the same."""
_SMOOTH = 2.0
"""Weight of the shorter run beside the longer one, in characters seen."""
_TRIED = 5


@dataclass(frozen=True, slots=True)
class _Other:
    gain: float
    at: int
    character: str


class Chinese:
    """Immutable, and safe in any number of threads."""

    def __init__(self, texts: Iterable[str]) -> None:
        """`texts` as `retrieval.text.as_read` gives them."""
        _cut("词典")  # read here, not on the loop when the first message comes
        self._runs: Counter[str] = Counter()
        self._words: Counter[str] = Counter()
        for text in texts:
            for run in RUN.findall(text):
                self._words.update(word for word in _cut(run) if len(word) > 1)
                framed = _framed(run)
                for length in (1, 2, 3):
                    self._runs.update(framed[at : at + length] for at in range(len(framed) - length + 1))
        self._own: defaultdict[str, str] = defaultdict(str)
        for character in sorted(run for run in self._runs if len(run) == 1):
            self._own[_sound_of().get(character, "")] += character
        self._characters = sum(count for run, count in self._runs.items() if len(run) == 1)

    def mended(self, run: str) -> tuple[int, str] | None:
        """(place, character that was meant there) of a run of Chinese characters; None: it is as it was meant."""
        words = _cut(run)
        others = sorted(self._others(run, words), key=lambda other: -other.gain)
        for other in others[:_TRIED]:
            if self._makes_a_word(run, other, len(words)):
                return other.at, other.character
        return None

    def _others(self, run: str, words: Sequence[str]) -> Iterator[_Other]:
        framed = _framed(run)
        in_a_word = [len(word) > 1 for word in words for _ in word]
        for at, written in enumerate(run):
            sound = _sound_of().get(written)
            if sound is None or in_a_word[at]:
                continue
            place, as_it_is = at + 2, self._likelihood(framed, at + 2)
            for other, nearly in self._sounding(sound):
                if other == written or not self._seen(framed[place - 1], other, framed[place + 1]):
                    continue
                changed = f"{framed[:place]}{other}{framed[place + 1 :]}"
                gain = self._likelihood(changed, place) - as_it_is - _NEARLY * nearly
                if gain > _LIKELIER:
                    yield _Other(gain, at, other)

    def _sounding(self, sound: str) -> Iterator[tuple[str, bool]]:
        yield from ((character, False) for character in self._own.get(sound, ""))
        for near in alike(sound):
            yield from ((character, True) for character in self._own.get(near, ""))

    def _seen(self, before: str, character: str, after: str) -> bool:
        return before + character in self._runs or character + after in self._runs

    def _likelihood(self, framed: str, at: int) -> float:
        """Logarithm: of this character and the two after it, each given the two before."""
        return sum(
            math.log(self._probability(framed[end - 2 : end + 1]))
            for end in range(at, min(at + 3, len(framed)))
        )

    def _probability(self, three: str) -> float:
        runs = self._runs
        alone = (runs[three[2]] + 0.1) / (self._characters + 0.1 * len(_sound_of()))
        of_two = (runs[three[1:]] + _SMOOTH * alone) / (runs[three[1]] + _SMOOTH)
        return (runs[three] + _SMOOTH * of_two) / (runs[three[:2]] + _SMOOTH)

    def _makes_a_word(self, run: str, other: _Other, words: int) -> bool:
        after = _cut(f"{run[: other.at]}{other.character}{run[other.at + 1 :]}")
        word, end = "", 0
        for word in after:
            end += len(word)
            if end > other.at:
                break
        if len(word) == 1:
            return False
        if len(after) < words:
            return word in self._words
        return len(after) == words and self._words[word] >= _OFTEN and other.gain > _MUCH_LIKELIER


def _framed(run: str) -> str:
    return f"{_BEGIN}{_BEGIN}{run}{_END}"


def _cut(run: str) -> list[str]:
    """Into the words of a general dictionary. The first call reads it, in a quarter of a second and 35 MB."""
    import rjieba

    words: list[str] = rjieba.cut(run, False)
    return words


@lru_cache(maxsize=1)
def _sound_of() -> Mapping[str, str]:
    """Of each character of GB 2312 its usual syllable, without the tone."""
    lines = (files(__package__) / "sounds.txt").read_text("utf-8").splitlines()
    parts = (line.partition(" ") for line in lines)
    return {character: sound for sound, _, characters in parts for character in characters}
