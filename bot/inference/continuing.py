"""What a message means that may go on from the one before: by itself, together with it, or neither.

A conditional logit (McFadden 1974) over the topics of both readings, with "none of them" as its way out. The topic that
was answered before stands among them: "how long does it take" may well be told in the same answer once more, and
whether that answer holds what is asked for says whether it is meant. Who says that something else is meant ("and
abroad?", 那信用卡呢) does not mean it again, unless it names just that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.domain.decision import Candidate, by_topic
from bot.domain.followup import changed_to, changes
from retrieval.bundle import Bundle
from retrieval.text import tokens
from retrieval.types import Entry
from training.answerable import states
from training.apply import Floats

ASKED_AGAIN = 0.5
"""This likely by itself, even the topic before is what a message means that goes on to something else."""
SURELY_AGAIN = 0.9
"""This likely, the topic before is meant again though its answer does not plainly state what is asked for."""
FEATURES = ("alone", "together", "again", "told", "near", "akin")
"""Of a topic: logarithms of its probability by the message alone and by both in one; whether it was answered before,
and then whether its answer states what is asked for; how near its question is to that of the answer before (cosine, 0
for what is unrelated), and whether it is of the same intent.
"""
_TOLD = FEATURES.index("told")
WEIGHTS = np.array((0.47, 0.58, -2.8, 3.05, 0.58, 1.55), dtype=np.float64)
NONE = np.array((-2.6, 0.3, 0.19), dtype=np.float64)
"""Of "none": a constant, and logarithms of how likely none is by the message alone, and of its being out of scope."""
_NOTHING_BEFORE = -4.35
"""How near each topic is where nothing was answered before: as the weights were learned, so that "none" is likelier."""
_LEAST = 1e-4
_LEAST_NONE = 1e-5
_LEAST_FOREIGN = 1e-3
"""Added to probabilities before their logarithms are taken."""


@dataclass(frozen=True, slots=True)
class Going:
    """A message after another. `before`: key of the topic that was answered then; `alone` and `together`: candidates by
    the message itself and by both in one; `foreign`: probability that the message itself is out of scope.
    """

    text: str
    lang: str
    before: str | None
    alone: Sequence[Candidate]
    together: Sequence[Candidate]
    foreign: float


def continued(going: Going, bundle: Bundle) -> tuple[Candidate, ...]:
    """Candidates of both readings, best first, each as sure as its topic is."""
    candidates = list({one.entry: one for one in (*going.alone, *going.together)}.values())
    if _goes_elsewhere(going, bundle):
        candidates = [one for one in candidates if one.key != going.before]
    if not candidates:
        return ()
    keys = list(dict.fromkeys(one.key for one in candidates))
    of_topics, of_none = features(going, candidates, bundle)
    logits = np.append(of_topics @ WEIGHTS, of_none @ NONE)
    powers = np.exp(logits - logits.max())
    sure = dict(zip(keys, (powers[:-1] / powers.sum()).tolist(), strict=True))
    if (
        going.before in sure
        and sure[going.before] < SURELY_AGAIN
        and not of_topics[keys.index(going.before), _TOLD]
    ):
        del sure[going.before]
    found = [Candidate(c.entry, c.key, c.intent, sure[c.key]) for c in candidates if c.key in sure]
    return tuple(sorted(found, key=lambda c: -c.confidence))


def features(going: Going, candidates: Sequence[Candidate], bundle: Bundle) -> tuple[Floats, Floats]:
    """float [topics, FEATURES] in the order in which the candidates have them, and float [3] of none of them."""
    alone, together = by_topic(going.alone), by_topic(going.together)
    given = _given(going, bundle)
    told = given is not None and (states(going.text, given.answer) or _names(going.text, given.answer))
    near = dict.fromkeys((one.key for one in candidates), _NOTHING_BEFORE if given is None else -np.inf)
    if given is not None:
        cosines = bundle.question_cosines(given.id, [one.entry for one in candidates])
        for one, cosine in zip(candidates, cosines, strict=True):
            near[one.key] = max(near[one.key], cosine)
    akin = {one.key for one in candidates if given is not None and one.intent == given.intent}
    rows = [
        (
            np.log(alone.get(key, 0.0) + _LEAST),
            np.log(together.get(key, 0.0) + _LEAST),
            key == going.before,
            key == going.before and told,
            cosine,
            key in akin,
        )
        for key, cosine in near.items()
    ]
    known = min(sum(alone.values()), 1.0)
    none = (1.0, np.log(1.0 - known + _LEAST_NONE), np.log(going.foreign + _LEAST_FOREIGN))
    return np.array(rows, dtype=np.float64), np.array(none, dtype=np.float64)


def _given(going: Going, bundle: Bundle) -> Entry | None:
    """The answer before."""
    return bundle.of_topic(going.before, going.lang) if going.before else None


def _goes_elsewhere(going: Going, bundle: Bundle) -> bool:
    if not changes(going.text) or by_topic(going.alone).get(going.before or "", 0.0) >= ASKED_AGAIN:
        return False
    given = _given(going, bundle)
    return given is None or not _names(going.text, given.answer)


def _names(text: str, answer: str) -> bool:
    """Whether a message goes on to something (那金卡呢) that the answer before has told about already."""
    asked = changed_to(text)
    return bool(asked) and asked.issubset(tokens(answer))
