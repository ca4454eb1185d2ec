"""Whether the best of what was found for a message answers it."""

from __future__ import annotations

import numpy as np

from training.answerable import Answerable, Lexicon, answer_features, foreignness, own_features
from training.apply import Floats, Found, Heads
from training.lesson import LessonHeads


def learned_by(heads: Heads) -> Answerable | None:
    """What a bot's own heads learned of it; None where there was too little."""
    return heads.answerable if isinstance(heads, LessonHeads) and heads.calibrator is not None else None


def answered(
    learned: Answerable, lexicon: Lexicon, text: str, found: Found, *, features: Floats, sure: Floats
) -> bool:
    """`features` [hits, FEATURES] and `sure` [hits]: evidence of its hits, and their confidence."""
    if not found.hits:
        return True
    best = int(np.argmax(sure))
    row = answer_features(
        sure,
        [hit.entry.key for hit in found.hits],
        foreign=foreignness(found.reading),
        candidate=features[best],
        own=own_features(text, found.hits[best], lexicon),
    )
    return bool(learned.probability(row[None])[0] >= learned.least)
