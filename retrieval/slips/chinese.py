"""One wrong character in a Chinese text: another one of the same sound, or of nearly the same, was picked.

A character that stands in no word of several characters is taken for another one where that is probable: a logistic
regression weighs the word that it then stands in, and how often the bot's own texts have the one and the other there.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from retrieval.slips.sounds import alike
from retrieval.text import HAN

RUN = re.compile(f"[{HAN}]{{2,}}")
_BEGIN, _END = "^", "$"

_LENGTHS = (1, 2, 3)
"""Of what is counted, in characters."""
_SURE = 0.85
"""Probability from which on another character is what was meant."""
_WORD = 1
"""Place of the word among the signs."""
_ALONE = 1.35
"""Taken off (logarithm) where it makes no word that the bot's texts have: it has to be .96 probable."""
_LEFT = frozenset("的地得了着吗呢吧啊呀嘛么那哪这")
"""Whatever they are written for, hardly anything hangs on it, and people write the one for the other."""
_SAYS_NOTHING = _LEFT | {_BEGIN, _END}
"""Neighbours that stand beside anything: 秋天的诗 is no slip, however often 的事 is said."""
_BIAS = -4.26
_WEIGHTS = (-1.3, 0.62, -2.33, 0.44, 0.95, -1.33, 0.42, -1.0, 1.85, -0.56, 1.41)
"""Of `Chinese._signs`; learned on phrasings of both example bots with slips and without, held out of the counts."""


@dataclass(frozen=True, slots=True)
class _Other:
    """`nearly`: its sound is only nearly that of what was typed."""

    at: int
    character: str
    nearly: bool


class Chinese:
    """Immutable, and safe in any number of threads."""

    def __init__(self, words: Mapping[str, int], runs: Mapping[str, int]) -> None:
        """How often the bot's texts have a word, and up to three characters with what frames them."""
        _cut("词典")  # read here, not on the loop when the first message comes
        self.words, self.runs = Counter(words), Counter(runs)
        self._after: defaultdict[tuple[str, str], str] = defaultdict(str)
        self._before: defaultdict[tuple[str, str], str] = defaultdict(str)
        sounds = _sound_of()
        for run in sorted(run for run in self.runs if len(run) == 2):
            first, second = run[0], run[1]
            self._after[first, sounds.get(second, "")] += second
            self._before[second, sounds.get(first, "")] += first

    @classmethod
    def of(cls, texts: Iterable[str]) -> Chinese:
        """`texts` as `retrieval.text.as_read` gives them."""
        runs = [run for text in texts for run in RUN.findall(text)]
        return cls(Counter(word for run in runs for word in _cut(run) if len(word) > 1), _counted(runs))

    def mended(self, run: str) -> tuple[int, str] | None:
        """(place, character that was meant there) of a run of Chinese characters; None: it is as it was meant."""
        words = _cut(run)
        best = math.log(_SURE / (1 - _SURE))
        found: _Other | None = None
        for other in self._others(run, words):
            if (odds := self._odds(run, words, other)) > best:
                best, found = odds, other
        return None if found is None else (found.at, found.character)

    def _others(self, run: str, words: Sequence[str]) -> Iterator[_Other]:
        """Characters of that sound, or nearly, that stand beside the same neighbour in the bot's texts."""
        framed = _framed(run)
        in_a_word = [len(word) > 1 for word in words for _ in word]
        for at, written in enumerate(run):
            sound = _sound_of().get(written)
            if sound is None or in_a_word[at] or written in _LEFT:
                continue
            before, after = framed[at + 1], framed[at + 3]
            if {before, after} <= _SAYS_NOTHING:
                continue
            for one in (sound, *alike(sound)):
                seen = {*self._after.get((before, one), ""), *self._before.get((after, one), "")}
                yield from (_Other(at, other, one != sound) for other in sorted(seen - {written}))

    def _odds(self, run: str, words: Sequence[str], other: _Other) -> float:
        """Logarithm: of its being what was meant, less what it needs to be surer than others."""
        signs = self._signs(run, words, other)
        odds = _BIAS + sum(weight * sign for weight, sign in zip(_WEIGHTS, signs, strict=True))
        return odds if signs[_WORD] else odds - _ALONE

    def _signs(self, run: str, words: Sequence[str], other: _Other) -> tuple[float, ...]:
        """The word that it makes, how many words there are then, how often the bot's texts have what was typed and what
        would be read, alone and with its neighbours.
        """
        at, read, typed = other.at, other.character, run[other.at]
        framed, often = _framed(run), self._often
        before, after = framed[at + 1], framed[at + 3]
        cut = _cut(f"{run[:at]}{read}{run[at + 1 :]}")
        word = _word_at(cut, at)
        return (
            float(other.nearly),
            math.log1p(self.words[word]) if len(word) > 1 else 0.0,
            float(len(cut) - len(words)),
            often(read) - often(typed),
            often(before + read),
            often(before + typed),
            often(read + after),
            often(typed + after),
            often(before + read + after),
            often(framed[at] + before + read),
            often(
                f"{read}{after}{framed[at + 4 : at + 5] or _END}"
            ),  # at the end: none, as when it was learned
        )

    def _often(self, run: str) -> float:
        return math.log1p(self.runs[run])


def _word_at(words: Sequence[str], at: int) -> str:
    end = 0
    for word in words:
        end += len(word)
        if end > at:
            break
    return word


def _framed(run: str) -> str:
    return f"{_BEGIN}{_BEGIN}{run}{_END}"


def _counted(runs: Sequence[str]) -> Counter[str]:
    """How often each one, two and three characters stand there, with what frames a run. All at once: one by one this
    would be half of what a server computes when it starts.
    """
    codes = np.frombuffer("".join(map(_framed, runs)).encode("utf-32-le"), dtype="<u4")
    found: Counter[str] = Counter()
    for length in _LENGTHS if runs else ():
        windows = sliding_window_view(codes, length)
        inside = (windows[:, :-1] != ord(_END)).all(axis=1)  # what ends a run does not go on in the next
        each, often = np.unique(windows[inside].view(f"<U{length}"), return_counts=True)
        found.update(dict(zip(each.tolist(), often.tolist(), strict=True)))
    return found


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
