"""Whether the best of what was found for a message answers it, by the heads that are live."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from training.answerable import answer_features, foreignness, own_features
from training.apply import Floats, Found
from training.lesson import LessonHeads

if TYPE_CHECKING:
    from bot.inference.understanding import Live


def answered(live: Live, text: str, found: Found, *, features: Floats, sure: Floats) -> bool:
    """`features` [hits, FEATURES] and `sure` [hits]: evidence of its hits, and their confidence.

    True too where nothing was learned of it: then only how sure the bot is decides.
    """
    learned = live.heads.answerable if isinstance(live.heads, LessonHeads) else None
    if learned is None or not found.hits or live.heads.calibrator is None:
        return True
    best = int(np.argmax(sure))
    row = answer_features(
        sure,
        [hit.entry.key for hit in found.hits],
        foreign=foreignness(found.reading),
        candidate=features[best],
        own=own_features(text, found.hits[best], live.bundle.contents.lexical),
    )
    return bool(learned.probability(row[None])[0] >= learned.least)
