"""One score out of four kinds of evidence and a preference of language.

A convex combination of normalised scores: with the theoretical bounds as limits it ranks better than
reciprocal ranks, and keeps by how much one beats another (Bruch, Gai, Ingber: An Analysis of Fusion Functions
for Hybrid Retrieval, ACM TOIS 42(1), 2023, formula 4 with "theoretical min-max"):

    score = sum of share_i * normalised_i        cosine: (c - floor) / (1 - floor)        BM25: s / sum of IDF

`floor` is the cosine of unrelated texts, as encoders differ widely there (.81 for multilingual-e5-small,
about .1 for MiniLM); the sum of the message's IDF bounds its BM25 from above.

Measured on the example bank, each alternative phrasing asked without itself in the index, right topic first,
Chinese / English: cosine of phrasings 43.5 / 25.8, with BM25 42.8 / 25.8, reciprocal ranks of both 42.4 /
21.4; passages alone 61.3 / 56.7; the shares below 66.6 / 55.8. Slightly misspelt phrasings still come first
in 99.6 / 98.5. A larger share for passages gains on the first and loses on the second.

Shares learned for the bank itself (`training.fusion`, each fourth of 2,662 held-out phrasings by the other three) gain
nothing there: right topic first 68.8 and 69.8 by these, among the first eight 93.4 and 93.4, and the surest answer
after calibration is right as often, 58.4. So a release brings no shares of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.embed import Vectors


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each kind of evidence counts. The four shares sum to 1. Other data may want others: see
    `training.fusion`.
    """

    phrase_dense: float = 0.2
    phrase_lexical: float = 0.1
    passage_dense: float = 0.45
    passage_lexical: float = 0.25
    other_language: float = 0.03
    """Taken off an entry in another language than the message's: enough to prefer the translation of one
    answer.
    """


DEFAULT = Weights()

_NARROWEST = 0.05
"""A bundle of one entry has a floor near 1: small differences must not look large in it."""


def phrase_part(dense: Vectors, lexical: Vectors, *, weights: Weights = DEFAULT) -> Vectors:
    """Both normalised, float32 [n]."""
    part: Vectors = np.float32(weights.phrase_dense) * dense + np.float32(weights.phrase_lexical) * lexical
    return part


def passage_part(dense: Vectors, lexical: Vectors, *, weights: Weights = DEFAULT) -> Vectors:
    """Both normalised, float32 [n]."""
    part: Vectors = np.float32(weights.passage_dense) * dense + np.float32(weights.passage_lexical) * lexical
    return part


def fuse(
    phrase: Vectors, passage: Vectors, *, other_language: NDArray[np.bool_], weights: Weights = DEFAULT
) -> Vectors:
    """float32 [n]. `passage` NaN: the entry has none, and its phrasing stands for both."""
    alone = phrase / np.float32(weights.phrase_dense + weights.phrase_lexical)
    scores = np.where(np.isnan(passage), alone, phrase + passage)
    fused: Vectors = (scores - weights.other_language * other_language).astype(np.float32)
    return fused


def normalised_cosine(cosine: Vectors, floor: float) -> Vectors:
    """float32, about 0 for unrelated texts and 1 for the same."""
    normalised: Vectors = (cosine - np.float32(floor)) / np.float32(max(1.0 - floor, _NARROWEST))
    return normalised
