"""How sure the best of what was found for a message answers it, and what that leaves to the others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

import numpy as np

from bot.domain.decision import Candidate, by_topic
from training.answerable import Answerable, Lexicon, answer_features, own_features, weighed
from training.apply import Floats, Found, Heads
from training.lesson import LessonHeads

_EDGE = 1e-6
"""So likely it is at least that none of them is meant."""


def learned_by(heads: Heads) -> Answerable | None:
    """What a bot's own heads learned of it; None where there was too little."""
    return heads.answerable if isinstance(heads, LessonHeads) and heads.calibrator is not None else None


def answered(
    learned: Answerable,
    lexicon: Lexicon,
    texts: Sequence[str],
    found: Sequence[Found],
    *,
    features: Floats,
    sure: Floats,
) -> Floats:
    """float32 [hits]: confidence of each, one text after the other. `features` [hits, FEATURES] and `sure` [hits]:
    evidence of the hits, and how sure the bot is of each among the others of its text.
    """
    ends = accumulate((len(one.hits) for one in found), initial=0)
    parts = [(text, one, slice(*part)) for text, one, part in zip(texts, found, pairwise(ends), strict=True)]
    some = [part for part in parts if part[1].hits]
    if not some:
        return sure
    rows = [_row(text, one, lexicon, features=features[part], sure=sure[part]) for text, one, part in some]
    right = learned.probability(np.stack(rows)).tolist()
    told = zip(some, right, strict=True)
    return np.concatenate([weighed(sure[part], _keys(one), sure_now) for (_, one, part), sure_now in told])


def _row(text: str, found: Found, lexicon: Lexicon, *, features: Floats, sure: Floats) -> Floats:
    best = int(sure.argmax())
    return answer_features(
        sure,
        _keys(found),
        foreign=found.reading.foreignness,
        candidate=features[best],
        own=own_features(text, found.hits[best], lexicon),
    )


def _keys(found: Found) -> list[str]:
    return [hit.entry.key for hit in found.hits]


def verified_by(told: Mapping[str, float], candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The candidates, best first, after the answers of some topics were read. `told`: of each of these, the log of how
    much likelier it has become beside all else that may be meant.

    Bayes' rule over the topics and "none of them". A topic that nobody read gains nothing by what is said of others,
    and one that was read with a No no more than that No alone leaves it: that all others failed as well speaks for
    "none of them", of which a bot knows too little to have it stand against them all.
    """
    before = by_topic(candidates)
    weights = {key: sure * math.exp(told.get(key, 0.0)) for key, sure in before.items()}
    total = sum(weights.values()) + max(1.0 - sum(before.values()), _EDGE)
    after = {
        key: min(weight / total, _most(before[key], told.get(key, 0.0))) for key, weight in weights.items()
    }
    found = (replace(one, confidence=after[one.key]) for one in candidates)
    return tuple(sorted(found, key=lambda one: -one.confidence))


def _most(before: float, told: float) -> float:
    """What a topic comes to by what is said of it alone; a Yes has no bound."""
    if told > 0:
        return 1.0
    weight = before * math.exp(told)
    return weight / (weight + 1.0 - before)
