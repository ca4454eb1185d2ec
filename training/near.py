"""Texts that are nearly the same: held-out ones that training has nearly seen, and training on the same again.

Jaccard similarity of character n-grams; candidates by MinHash and locality-sensitive hashing (Broder 1997; Indyk,
Motwani 1998; datasketch), each then compared exactly.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from datasketch import MinHash, MinHashLSH

from retrieval.text import HAN, normalise
from training.clean import Item, Name, Tally
from training.dataset import Split

NEAR = 0.7
"""Similarity from which on two texts of one label are nearly the same. Of 26 pairs of our own (tests/unit/training/
test_near.py) twelve of thirteen that differ by a letter, a mark or a courtesy have .71 to 1.0 (one .64), and those that
differ by the word that matters at most .67.
"""
BANDS, ROWS = 16, 4
"""Of MinHash. A pair at .7 becomes a candidate in 99 of 100 cases, at .8 in all but one of 5,000."""
LOOKED_AT = 100
"""Candidates that a text is compared with, the first ones: texts from one mould would be compared all with all."""

LEAK = "nearly the same as a text that is held out"
THIN = "nearly the same as another one to learn from"
UNFAIR = "nearly the same as the only text to learn from"

_RUN = re.compile(f"[{HAN}]+|[^\\W_{HAN}]+")
_HAN = re.compile(f"[{HAN}]")


@lru_cache(maxsize=1024)
def shingles(text: str) -> frozenset[str]:
    """Of Chinese characters and pairs of neighbours, of other words runs of three characters with their ends."""
    found: set[str] = set()
    for run in _RUN.findall(normalise(text)):
        if _HAN.match(run):
            found.update(run, (run[at : at + 2] for at in range(len(run) - 1)))
        else:
            padded = f" {run} "
            found.update(padded[at : at + 3] for at in range(len(padded) - 2))
    return frozenset(found)


def similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard, 0..1."""
    both = len(one & other)
    return both / (len(one) + len(other) - both) if both else 0.0


@dataclass(slots=True)
class Index:
    """Texts that others may be near to. Their n-grams, which are many times as large, are made again when needed."""

    texts: list[str] = field(default_factory=list)
    lsh: MinHashLSH = field(default_factory=lambda: MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS)))

    def near(self, text: str, minhash: MinHash) -> bool:
        places = sorted(self.lsh.query(minhash))[:LOOKED_AT]
        grams = shingles(text)
        return any(similarity(grams, shingles(self.texts[place])) >= NEAR for place in places)

    def add(self, text: str, minhash: MinHash) -> None:
        self.lsh.insert(len(self.texts), minhash)
        self.texts.append(text)


def sketch(text: str) -> MinHash:
    minhash = _EMPTY.copy()
    minhash.update_batch(sorted(gram.encode() for gram in shingles(text)))
    return minhash


_EMPTY = MinHash(num_perm=BANDS * ROWS, seed=1)


def thin(items: Sequence[Item], sides: Mapping[str, Split], tally: Tally) -> list[Item]:
    """What remains: no text to learn from is near a held-out one of the same label, or near one to learn from.

    A label keeps a text to learn from: where all are near held-out ones, those go instead.
    """
    gone: dict[str, str] = {}
    labels: defaultdict[Name, list[Item]] = defaultdict(list)
    for item in items:
        for one in item.rows:
            labels[one.task, one.row.label].append(item)
    for name in sorted(labels):
        if len(labels[name]) > 1:
            gone |= _too_near(labels[name], sides, gone)
    for name in sorted(labels):
        learned = [item for item in labels[name] if sides[item.id] == "train"]
        if learned and all(item.id in gone for item in learned):
            kept = min(learned, key=_first)
            del gone[kept.id]
            gone |= _near_to(kept, items, sides)
    for item in items:
        if item.id in gone:
            for one in item.rows:
                tally.add(gone[item.id], one.task, [one.place])
    return [item for item in items if item.id not in gone]


def _too_near(items: Iterable[Item], sides: Mapping[str, Split], gone: Mapping[str, str]) -> dict[str, str]:
    """Of one label: ids of what cannot be learned from, with the reason."""
    found: dict[str, str] = {}
    held, learned = Index(), Index()
    ordered = sorted((item for item in items if item.id not in gone), key=_first)
    for item in ordered:
        if sides[item.id] != "train":
            held.add(item.text, sketch(item.text))
    for item in ordered:
        if sides[item.id] == "train":
            text, minhash = item.text, sketch(item.text)
            if held.near(text, minhash):
                found[item.id] = LEAK
            elif learned.near(text, minhash):
                found[item.id] = THIN
            else:
                learned.add(text, minhash)
    return found


def _near_to(kept: Item, items: Iterable[Item], sides: Mapping[str, Split]) -> dict[str, str]:
    """Held-out texts that share a label with `kept` and are near it."""
    grams, names = shingles(kept.text), kept.names
    return {
        item.id: UNFAIR
        for item in items
        if sides[item.id] != "train" and item.names & names and similarity(shingles(item.text), grams) >= NEAR
    }


def _first(item: Item) -> tuple[bool, str]:
    """An author's words stay rather than a customer's."""
    return not any(one.own for one in item.rows), item.id
