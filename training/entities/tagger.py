"""Entities by what annotated examples taught: a linear-chain conditional random field over atoms. numpy alone.

Lafferty, McCallum, Pereira 2001. An atom is judged by the encoder's states of its tokens and its neighbours', and by
the words around it; the likeliest row of B, I and O is found by Viterbi, and I follows nothing but its own kind.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.entities.entity import Place
from training.entities.marks import Floats, Marked
from training.entities.phrases import NOTHING_SAID, Phrases
from training.entities.spec import Span

NEAR = (-1, 0, 1)
"""Whose states an atom is judged by."""
NEVER = np.float32(-1e4)
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

    def find(self, text: Marked) -> list[Span]:
        """In order, none over another."""
        if not text.places or not self.kinds:
            return []
        return list(spans(text.places, self._likeliest(self.scores(text)), self.kinds))

    def scores(self, text: Marked) -> Floats:
        """float32 [n, T]: of each atom by itself."""
        seen = (text.states - self.mean) / self.scale
        found: Floats = (seen @ self.states[1] + self.bias).astype(np.float32)
        found[1:] += seen[:-1] @ self.states[0]
        found[:-1] += seen[1:] @ self.states[2]
        for row, marks in enumerate(text.marks):
            known = [place for mark in marks if (place := self.places.get(mark)) is not None]
            if known:
                found[row] += self.marks[known].sum(axis=0)
        return found

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
