"""Rankings of one question by the product's search, by vectors alone and by BM25 alone, over the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.bundle import Bundle
from retrieval.embed import Vectors
from retrieval.fuse import DEFAULT, Weights
from retrieval.search import search
from retrieval.text import tokens
from retrieval.types import Query

DEPTH = 100
"""Topics that a ranking ends after: about where search itself ends."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the topics (keys of entries) that are right."""

    text: str
    right: frozenset[str]


@dataclass(frozen=True, slots=True)
class Found:
    """Topics of each question in order, best first, found in three ways; and what was right."""

    ours: list[list[str]]
    dense: list[list[str]]
    lexical: list[list[str]]
    right: list[frozenset[str]]


def rank(bundle: Bundle, query: Query, right: frozenset[str], *, weights: Weights = DEFAULT) -> Found:
    """Of one question. Blocking; the bundle must not be empty."""
    hits = search(bundle, query, DEPTH, weights=weights)
    dense = bundle.contents.vectors @ query.vector
    lexical = bundle.contents.lexical.scores([tokens(query.text)])[0]
    ours = list(dict.fromkeys(hit.entry.key for hit in hits))
    return Found([ours], [_topics(bundle, dense)], [_topics(bundle, lexical)], [right])


def _topics(bundle: Bundle, scores: Vectors) -> list[str]:
    """Topics by their best row."""
    found: dict[str, None] = {}
    for row in (-scores).argsort(kind="stable").tolist():
        found.setdefault(bundle.entry(row).key)
        if len(found) == DEPTH:
            break
    return list(found)


def joined(parts: Sequence[Found]) -> Found:
    """All questions of all parts."""
    return Found(
        [r for p in parts for r in p.ours],
        [r for p in parts for r in p.dense],
        [r for p in parts for r in p.lexical],
        [r for p in parts for r in p.right],
    )
