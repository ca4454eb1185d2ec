"""Learning how search weighs its evidence, from questions whose answers are known.

A convex combination has few shares and its metric has steps, so the shares are found by trying them all (Bruch, Gai,
Ingber 2023 tune theirs the same way: a handful of labelled questions is enough). What wins is the mean reciprocal
rank of the first right topic; among equals, what is nearest to the shares that were there before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from retrieval.fuse import DEFAULT, Weights
from retrieval.search import Evidence, weigh

LEXICAL_SHARES = (0.1, 0.2, 1 / 3, 0.45, 0.6, 0.75)
PASSAGE_LEXICAL_SHARES = (0.2, 0.36, 0.5)
PASSAGE_SHARES = (0.0, 0.1, 0.2, 0.35, 0.5, 0.7)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: what search found, the topic (0, 1, ...) of each candidate, and which of them are right."""

    found: Evidence
    topics: NDArray[np.int64]
    right: NDArray[np.bool_]


def learn_weights(asked: Sequence[Asked], *, before: Weights = DEFAULT) -> Weights:
    """The shares under which right topics come first; `before` itself where nothing is better."""
    has_passages = any(a.found.is_passage.any() for a in asked)
    options = [before, *_grid(before, has_passages=has_passages)]
    return max(options, key=lambda weights: (round(quality(asked, weights), 6), -_distance(weights, before)))


def quality(asked: Sequence[Asked], weights: Weights) -> float:
    """Mean reciprocal rank (0..1) of the first right topic."""
    return float(np.mean([_reciprocal(a, weigh(a.found, weights).scores) for a in asked])) if asked else 0.0


def _reciprocal(asked: Asked, scores: NDArray[np.float32]) -> float:
    if not asked.right.any():
        return 0.0
    ahead = ~asked.right & (scores >= scores[asked.right].max())
    return 1.0 / (1 + len(np.unique(asked.topics[ahead])))


def _grid(before: Weights, *, has_passages: bool) -> Iterator[Weights]:
    """Without passages only the balance inside a phrasing counts."""
    passages = list(product(PASSAGE_SHARES, PASSAGE_LEXICAL_SHARES)) if has_passages else [_passage(before)]
    for phrase_lexical, (passage, passage_lexical) in product(LEXICAL_SHARES, passages):
        yield Weights(
            phrase_dense=(1 - passage) * (1 - phrase_lexical),
            phrase_lexical=(1 - passage) * phrase_lexical,
            passage_dense=passage * (1 - passage_lexical),
            passage_lexical=passage * passage_lexical,
            other_language=before.other_language,
        )


def _passage(weights: Weights) -> tuple[float, float]:
    """(share of passages, share of words in it)."""
    whole = weights.passage_dense + weights.passage_lexical
    return whole, weights.passage_lexical / whole if whole else 0.0


def _distance(weights: Weights, other: Weights) -> float:
    """City-block distance of the shares."""
    mine = (weights.phrase_dense, weights.phrase_lexical, weights.passage_dense, weights.passage_lexical)
    theirs = (other.phrase_dense, other.phrase_lexical, other.passage_dense, other.passage_lexical)
    return sum(abs(a - b) for a, b in zip(mine, theirs, strict=True))
