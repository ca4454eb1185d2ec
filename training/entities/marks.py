"""A text as the tagger sees it: its atoms, what the encoder made of each, and the words around it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from retrieval.embed import Tokens
from training.entities.entity import Place, atoms, folded
from training.entities.numbers import HAN_NUMBER, NUMBER
from training.entities.phrases import NOTHING_SAID, Phrases
from training.entities.spec import Example, Span

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

STEPS = (-2, -1, 0, 1, 2)
"""From an atom to those whose words it is judged by."""
LIST, _SAID, _NUMBER = "list", "said", "number"
_HAN_DIGITS = frozenset(HAN_NUMBER[1:-1])
HIT = re.compile(rf"-?\d[bie]:(?!{_SAID}|{_NUMBER})")
"""Marks of what is recognised or listed, at a place or near it."""
_EDGE = "|"
LONGEST = 512
"""Atoms that are tagged; an encoder's tokens hardly ever hold more."""
_REMEMBERED = 8_192
"""Words, which come again and again."""


@dataclass(frozen=True, slots=True)
class Marked:
    """`places` of n atoms and their `words`; `tokens`: what the encoder made of the text; `others`: names of what marks
    an atom beside the single words around it (see `named`).
    """

    places: Sequence[Place]
    tokens: Tokens
    words: Sequence[str]
    others: Sequence[Sequence[str]]

    @property
    def marks(self) -> list[list[str]]:
        """Names of all that marks an atom."""
        around = [_NOBODY, _NOBODY, *map(named, self.words), _NOBODY, _NOBODY]
        return [
            [mark for at, names in enumerate(around[place : place + len(STEPS)]) for mark in names[at]]
            + [*others]
            for place, others in enumerate(self.others)
        ]

    @property
    def states(self) -> Floats:
        """float32 [n, width]: the mean of an atom's tokens."""
        return means(self.tokens.states, *reach([self]))


@dataclass(frozen=True, slots=True)
class Annotated:
    """A text as the tagger sees it, and what is in it."""

    text: Marked
    spans: tuple[Span, ...]


def marked(
    text: str,
    tokens: Tokens,
    known: Iterable[tuple[str, int, int]] = (),
    said: Phrases = NOTHING_SAID,
    *,
    own: Example | None = None,
) -> Marked:
    """As far as the encoder has read. `known`: kind, start and end of what recognisers found; `said`: what is known by
    examples, of which this may be one (`own`).
    """
    read = int(tokens.places[:, 1].max(initial=0))
    places = [place for place in atoms(text) if place[0] < read][:LONGEST]
    words = [folded(text[start:end]) for start, end in places]
    told = (
        (f"{LIST if kind in said.listed else _SAID}:{kind}", start, end)
        for kind, start, end in said.find(words, places, own=own)
    )
    numbers = [match.span() for match in NUMBER.finditer(folded(text))]
    hits = _hits(places, chain(known, told, ((_NUMBER, *number) for number in numbers)))
    return Marked(places, tokens, words, _others(words, hits, _counted(words, places, numbers)))


def reach(texts: Sequence[Marked]) -> tuple[Rows, Rows]:
    """Of all their atoms, one text after the other, the first token and the one after the last, counted through all
    texts. Where tokens are longer than atoms, several share one.
    """
    counts = [len(text.places) for text in texts]
    sizes = [len(text.tokens.places) for text in texts]
    # As if all were one text: each begins where the one before has ended.
    lengths = [
        max(text.tokens.places.max(initial=0), text.places[-1][1]) if text.places else 0 for text in texts
    ]
    begin = np.cumsum([0, *lengths[:-1]])
    tokens = np.concatenate([text.tokens.places for text in texts]) + np.repeat(begin, sizes)[:, None]
    places = [place for text in texts for place in text.places]
    starts, stops = (np.array(places, dtype=np.int64).reshape(-1, 2) + np.repeat(begin, counts)[:, None]).T
    least = np.repeat(np.cumsum([0, *sizes[:-1]]), counts)
    most = least + np.repeat(sizes, counts)
    first = np.searchsorted(np.maximum.accumulate(tokens[:, 1]), starts, side="right").clip(least, most - 1)
    last = np.searchsorted(tokens[:, 0], stops, side="left").clip(least, most)
    return first, np.maximum(last, first + 1)  # signs that the tokenizer passed over: what comes next


def means(rows: Floats, first: Rows, last: Rows) -> Floats:
    """float32 [n, width]: of what stands from `first` up to `last` [n] in `rows` [tokens, width]."""
    sums = np.zeros((len(rows) + 1, rows.shape[1]))
    np.cumsum(rows, axis=0, out=sums[1:])
    found: Floats = ((sums[last] - sums[first]) / (last - first)[:, None]).astype(np.float32)
    return found


def _hits(places: Sequence[Place], known: Iterable[tuple[str, int, int]]) -> list[list[str]]:
    found: list[list[str]] = [[] for _ in places]
    starts = [start for start, _ in places]
    for kind, start, end in known:
        first, after = bisect_left(starts, start), bisect_left(starts, end)
        for number in range(first, after):
            found[number].append(f"{'b' if number == first else 'i'}:{kind}")
        if first < after:
            found[after - 1].append(f"e:{kind}")
    return [list(dict.fromkeys(marks)) for marks in found]


def _counted(
    words: Sequence[str], places: Sequence[Place], numbers: Sequence[tuple[int, int]]
) -> list[list[str]]:
    """Of each atom of a number what stands before and after the whole of it: 4,362.18 is five atoms."""
    found: list[list[str]] = [[] for _ in words]
    starts = [start for start, _ in places]
    for start, end in numbers:
        first, after = bisect_left(starts, start), bisect_left(starts, end)
        near = [
            words[at] if 0 <= at < len(words) else _EDGE for at in (first - 2, first - 1, after, after + 1)
        ]
        marks = [f"n<{near[1]}", f"n>{near[2]}", f"n<<{near[0]} {near[1]}", f"n>>{near[2]} {near[3]}"]
        for place in range(first, after):
            found[place] = marks
    return found


@lru_cache(maxsize=_REMEMBERED)
def named(word: str) -> tuple[tuple[str, ...], ...]:
    """What a word marks each of the atoms with that are these STEPS before it."""
    form = shape(word)
    ends = () if word.isdecimal() else (f"<{word[:3]}", f"{word[-3:]}>")
    return tuple((f"{step}={word}", f"s{step}={form}", *(() if step else ends)) for step in STEPS)


_NOBODY: tuple[tuple[str, ...], ...] = ((),) * len(STEPS)


def _others(
    words: Sequence[str], hits: Sequence[Sequence[str]], counted: Sequence[Sequence[str]]
) -> list[list[str]]:
    return [[*_beside(words, hits, place), *counted[place]] for place in range(len(words))]


def _beside(words: Sequence[str], hits: Sequence[Sequence[str]], place: int) -> list[str]:
    """Words in pairs, what is recognised, and where the text ends."""
    found = []
    for step in STEPS:
        there = place + step
        if 0 <= there < len(words):
            found += [f"{step}{hit}" for hit in hits[there]]
        else:
            found.append(f"{step}={_EDGE}")
    before = words[place - 1] if place else _EDGE
    after = words[place + 1] if place + 1 < len(words) else _EDGE
    return [*found, f"-+{before} {words[place]}", f"+-{words[place]} {after}", f"-+-{before} {after}"]


def shape(word: str) -> str:
    """Digits by their number, Chinese numerals, letters, one letter or Chinese character, anything else."""
    if word.isdecimal():
        return f"d{min(len(word), 8)}"
    if word in _HAN_DIGITS:
        return "h"
    if word.isalpha():
        return "w" if len(word) > 1 else "c"
    return "p"
