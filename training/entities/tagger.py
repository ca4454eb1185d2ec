"""Entities by what annotated examples taught: a linear-chain conditional random field over atoms. numpy alone.

Lafferty, McCallum, Pereira 2001. An atom is judged by the encoder's states of its tokens and its neighbours', and by
the words around it; the likeliest row of B, I and O is found by Viterbi, and I follows nothing but its own kind.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from training.entities.entity import Place
from training.entities.marks import STEPS, Floats, Marked, means, named, reach
from training.entities.phrases import NOTHING_SAID, Phrases
from training.entities.spec import Span

NEAR = (-1, 0, 1)
"""Whose states an atom is judged by."""
NEVER = np.float32(-1e4)
MOST_WORDS = 16_384
"""Whose rows of marks are kept."""
_Rows = tuple[tuple[int, ...], ...]
"""For each of STEPS."""
_NOBODY: _Rows = ((),) * len(STEPS)
FORMAT = "tagger-2"


@dataclass(frozen=True, slots=True)
class Tagger:
    """`kinds`: of the T = 1 + 2 * kinds tags O, B-kind, I-kind, B-kind ...

    `mean`, `scale`: float32 [width]. `states`: float32 [NEAR, width, T]. `places`: mark -> row of `marks` [marks, T].
    `bias`, `first`: float32 [T]. `follows`: float32 [T, T], from and to. `said`: what examples named.
    """

    kinds: tuple[str, ...]
    mean: Floats
    scale: Floats
    states: Floats
    places: Mapping[str, int]
    marks: Floats
    bias: Floats
    first: Floats
    follows: Floats
    said: Phrases = NOTHING_SAID
    _of_words: dict[str, _Rows] = field(default_factory=dict, init=False, repr=False, compare=False)

    def find(self, texts: Sequence[Marked]) -> list[list[Span]]:
        """Of each text in order, none over another. Texts are read together: for one, to call numpy takes longer than
        the sums do.
        """
        if not self.kinds:
            return [[] for _ in texts]
        scores = self.scores(texts)
        ends = np.cumsum([0, *(len(text.places) for text in texts)]).tolist()
        plain = (scores[:, 0] - scores[:, 1:].max(axis=1, initial=NEVER) > self._pull).tolist()
        return [
            []
            if all(plain[start:end])
            else list(spans(text.places, self._likeliest(scores[start:end]), self.kinds))
            for text, (start, end) in zip(texts, pairwise(ends), strict=True)
        ]

    def scores(self, texts: Sequence[Marked]) -> Floats:
        """float32 [n, T]: of each atom by itself, one text after the other."""
        texts = [text for text in texts if text.places]
        if not texts:
            return np.zeros((0, len(self.bias)), np.float32)
        seen: Floats = (np.concatenate([text.tokens.states for text in texts]) - self.mean) / self.scale
        # The mean of what is said of tokens is what is said of their mean, and a good deal shorter.
        told: Floats = seen @ self.states.transpose(1, 0, 2).reshape(len(self.mean), -1)
        near = means(told, *reach(texts))
        before, own, after = np.split(near, len(NEAR), axis=1)
        found = own + self.bias
        inner = np.ones(len(found), dtype=bool)
        inner[np.cumsum([0, *(len(text.places) for text in texts[:-1])])] = False
        (follows,) = np.nonzero(inner)
        found[follows] += before[follows - 1]
        found[follows - 1] += after[follows]
        self._add_marks(found, texts)
        return found

    def _add_marks(self, found: Floats, texts: Sequence[Marked]) -> None:
        known: list[int] = []
        starts: list[int] = []
        for text in texts:
            around = [_NOBODY, _NOBODY, *map(self._rows, text.words), _NOBODY, _NOBODY]
            for place, others in enumerate(text.others):
                starts.append(len(known))
                for at, rows in enumerate(around[place : place + len(STEPS)]):
                    known += rows[at]
                known += [row for mark in others if (row := self.places.get(mark)) is not None]
        if known:
            ends = np.array([*starts[1:], len(known)])
            (some,) = np.nonzero(ends > starts)
            found[some] += np.add.reduceat(self.marks[known], np.array(starts)[some])

    def _rows(self, word: str) -> _Rows:
        """Of what a word marks the atoms around it with."""
        if (found := self._of_words.get(word)) is None:
            if len(self._of_words) >= MOST_WORDS:
                self._of_words.clear()
            found = tuple(tuple(self.places[m] for m in marks if m in self.places) for marks in named(word))
            self._of_words[word] = found
        return found

    @property
    def _pull(self) -> float:
        """What a tag other than O can gain at most by what stands beside it. Where O leads by more at every atom, no
        other row of tags comes to as much: of m atoms that are not O one is entered, one is left, and the others
        follow one another.
        """
        still = self.follows[0, 0]
        enter = max(
            (self.follows[0, 1:] - still).max(initial=NEVER),
            (self.first[1:] - self.first[0]).max(initial=NEVER),
        )
        leave = max((self.follows[1:, 0] - still).max(initial=NEVER), 0.0)
        inside = (self.follows[1:, 1:] - still).max(initial=NEVER)
        return float(max(enter + leave, inside, 0.0))

    def _likeliest(self, scores: Floats) -> list[int]:
        """The row of tags with the largest sum."""
        best = self.first + scores[0]
        back = []
        for row in scores[1:]:
            ways = best[:, None] + self.follows
            back.append(ways.argmax(axis=0))
            best = ways.max(axis=0) + row
        tags = [int(best.argmax())]
        for come in reversed(back):
            tags.append(int(come[tags[-1]]))
        return tags[::-1]


def spans(places: Sequence[Place], tags: Sequence[int], kinds: Sequence[str]) -> Iterator[Span]:
    """Tags to characters: 0 is O, then B and I of each kind. An I that follows another kind begins anew."""
    begun: tuple[int, int, int] | None = None
    for (start, end), tag in zip(places, tags, strict=True):
        kind, inside = (tag - 1) // 2, tag % 2 == 0
        if begun is not None and tag and inside and begun[2] == kind:
            begun = begun[0], end, kind
            continue
        if begun is not None:
            yield Span(begun[0], begun[1], kinds[begun[2]])
        begun = (start, end, kind) if tag else None
    if begun is not None:
        yield Span(begun[0], begun[1], kinds[begun[2]])


def tagged(places: Sequence[Place], found: Sequence[Span], kinds: Sequence[str]) -> list[int]:
    """Characters to tags of their atoms."""
    tags = [0] * len(places)
    for span in found:
        first = 1 + 2 * kinds.index(span.kind)
        inside = [n for n, (start, end) in enumerate(places) if start < span.end and end > span.start]
        for place, number in enumerate(inside):
            tags[number] = first + (place > 0)
    return tags


def allowed(kinds: int) -> Floats:
    """float32 [1 + T, T]: 0, or NEVER for an I that follows neither its B nor itself; first row: a text begins."""
    size = 1 + 2 * kinds
    table = np.zeros((1 + size, size), np.float32)
    for inside in range(2, size, 2):
        table[:, inside] = NEVER
        table[[inside, inside + 1], inside] = 0.0  # rows are one further down
    return table


def save_tagger(folder: Path, tagger: Tagger, about: Mapping[str, Any]) -> None:
    """tagger.safetensors + tagger.json. The caller makes the folder atomic. `about`: for people."""
    from safetensors.numpy import save_file

    arrays = {name: np.ascontiguousarray(getattr(tagger, name)) for name in _ARRAYS}
    save_file(arrays, folder / "tagger.safetensors")
    told = {
        "format": FORMAT,
        "kinds": tagger.kinds,
        "marks": list(tagger.places),
        "said": list(tagger.said.said.items()),
        "listed": sorted(tagger.said.listed),
        "about": about,
    }
    (folder / "tagger.json").write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")


def load_tagger(folder: Path) -> Tagger:
    """Raises OSError, KeyError or ValueError for what `save_tagger` did not write."""
    from safetensors.numpy import load_file

    told = json.loads((folder / "tagger.json").read_text(encoding="utf-8"))
    if told["format"] != FORMAT:
        raise ValueError(f"{folder}: made by another version")
    arrays = load_file(folder / "tagger.safetensors")
    places = {mark: row for row, mark in enumerate(told["marks"])}
    phrases = {tuple(words): kinds for words, kinds in told["said"]}
    said = Phrases(phrases, frozenset(told["listed"]))
    return Tagger(tuple(told["kinds"]), places=places, said=said, **{name: arrays[name] for name in _ARRAYS})


_ARRAYS = ("mean", "scale", "states", "marks", "bias", "first", "follows")
