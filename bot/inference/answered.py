"""How sure the best of what was found for a message answers it, and what that leaves to the others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bot.domain.decision import Candidate
from training.answerable import Answerable, Lexicon, answer_features, own_features, weighed
from training.apply import Floats, Found, Heads
from training.lesson import LessonHeads

_EDGE = 1e-6
"""A probability is kept so far from 0 and 1."""


def learned_by(heads: Heads) -> Answerable | None:
    """What a bot's own heads learned of it; None where there was too little."""
    return heads.answerable if isinstance(heads, LessonHeads) and heads.calibrator is not None else None


def answered(
    learned: Answerable, lexicon: Lexicon, text: str, found: Found, *, features: Floats, sure: Floats
) -> Floats:
    """float32 [hits]: confidence of each. `features` [hits, FEATURES] and `sure` [hits]: evidence of the hits, and how
    sure the bot is of each among the others.
    """
    if not found.hits:
        return sure
    keys = [hit.entry.key for hit in found.hits]
    best = int(np.argmax(sure))
    row = answer_features(
        sure,
        keys,
        foreign=found.reading.foreignness,
        candidate=features[best],
        own=own_features(text, found.hits[best], lexicon),
    )
    return weighed(sure, keys, float(learned.probability(row[None])[0]))


def verified_by(evidence: float, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The same, in their order, after somebody read the first one: `evidence` is added to its log-odds."""
    sure = np.array([one.confidence for one in candidates], dtype=np.float32)
    inside = min(max(candidates[0].confidence, _EDGE), 1.0 - _EDGE)
    found = 1.0 / (1.0 + math.exp(-math.log(inside / (1.0 - inside)) - evidence))
    told = weighed(sure, [one.key for one in candidates], found).tolist()
    return tuple(replace(one, confidence=now) for one, now in zip(candidates, told, strict=True))
