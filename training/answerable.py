"""Does the best of what was found answer the message, or does it only sound like it? numpy alone.

"Which card may I use in Didi" stands close to many a stored question of a bank, and none of them answers it. How sure
the bot is of the best answer among others says little about that. Beside it count: whether the message looks foreign,
which of its words the answer does not know (brands, countries, products), and whether what it asks for (an amount, a
time, a telephone, a place) stands in the answer.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np

from retrieval.terms import STOP_WORDS
from retrieval.text import HAN, normalise, tokens
from retrieval.types import Entry, Hit
from training.apply import FEATURES as OF_A_CANDIDATE
from training.apply import FLOOR, Floats, standardised

FILE = "answerable.json"
OWN = (
    *("held", "unknown_share", "strangest", "phrase_held", "phrase_extra"),
    *("unmet", "strange_share", "strange_run"),
)
"""What a message and one hit say beside the evidence of the search (see `own_features`). Shares rather than sums:
customers write more than authors do, and long messages hold more of everything.
"""
FEATURES = ("sure", "second", "rest", "known", "foreign", "foreign_topic", *OF_A_CANDIDATE, *OWN)
_LEAST = 1e-4
"""Added to a probability and to its complement before its odds are taken."""

_ASKS = (
    # what a message asks for, and what an answer to it holds
    (
        r"\bhow much\b|\bfees?\b|\bcosts?\b|\bcharges?\b|\bprices?\b|多少钱|费用|手续费|收费|价格|几块|运费",
        r"\d|\bfree\b|no charge|免费|不收",
    ),
    (
        r"\bhow long\b|\bwhen\b|\bhow soon\b|\bhow many days\b|\bwhat time\b|多久|几天|什么时候|何时|几点|多长时间",
        r"\d|\b(?:day|hour|week|month|minute)s?\b|at once|immediately|天|日|小时|分钟|立即|马上|即时|月|年",
    ),
    (r"\bphone\b|\bhotline\b|\bcall\b|电话|热线", r"\d{3}[- ]?\d{3}|\d{5,}"),
    (
        r"\bwhere\b|哪里|在哪|哪儿",
        r"\b(?:app|branch|store|website|counter|page|at|in)\b|网点|门店|柜台|官网|app|页",
    ),
)
_KINDS = tuple((re.compile(asks), re.compile(holds, re.IGNORECASE)) for asks, holds in _ASKS)
"""Asked is a text in its normal form, which has small letters alone."""
_TOLD = 3
_RUN = re.compile(f"[{HAN}]+")


class Lexicon(Protocol):
    """`retrieval.lexical.Lexical`: what the words of all stored texts weigh."""

    def weight(self, term: str) -> float: ...

    def knows(self, term: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Answerable:
    """Logistic regression over `FEATURES`: the probability that the best candidate answers the message.

    Below `at_least` it is not said.
    """

    centre: Floats
    scale: Floats
    weight: Floats
    bias: float
    least: float
    least_by: Mapping[str, float] = field(default_factory=dict)
    """Of languages with enough foreign messages of their own."""

    def at_least(self, lang: str) -> float:
        return self.least_by.get(lang, self.least)

    def probability(self, features: Floats) -> Floats:
        """float32 [n, FEATURES] -> float32 [n] in 0..1."""
        logits = standardised(features, self.centre, self.scale) @ self.weight + self.bias
        found: Floats = (1 / (1 + np.exp(-np.clip(logits, -30, 30)))).astype(np.float32)
        return found


def answer_features(
    sure: Floats, keys: Sequence[str], *, foreign: Sequence[float], candidate: Floats, own: Floats
) -> Floats:
    """float32 [FEATURES] of a message.

    `sure` [n]: how likely each of its hits is to be right; `keys` [n]: their topics; `foreign` [2]: its foreignness;
    `candidate` and `own`: evidence of the surest one (`candidate_features`, `own_features`).
    """
    each = sure.tolist()
    best = each.index(max(each))
    topics: dict[str, float] = {}
    for key, one in zip(keys, each, strict=True):
        topics[key] = max(one, topics.get(key, 0.0))
    others = [one for key, one in topics.items() if key != keys[best]]
    told = (
        *(_odds(each[best]), _odds(max(others, default=0.0)), _odds(sum(others))),
        _odds(sum(topics.values())),
        *(math.log(one + FLOOR) for one in foreign),
    )
    return np.array((*told, *candidate.tolist(), *own.tolist()), dtype=np.float32)


def weighed(sure: Floats, keys: Sequence[str], found: float) -> Floats:
    """float32 [n]: `sure` [n] where the surest one, and what else is of its topic, is `found` to be right. The others
    keep their share of it, as far as there is anything left to share.
    """
    each = sure.tolist()
    best = each.index(max(each))
    topics = {key: one for key, one in zip(keys, each, strict=True) if key != keys[best]}
    rest = min(found / max(each[best], _LEAST), (1.0 - found) / max(sum(topics.values()), _LEAST))
    told = [found if key == keys[best] else one * rest for key, one in zip(keys, each, strict=True)]
    return np.array(told, dtype=np.float32)


def states(text: str, answer: str) -> bool:
    """Whether the text asks for an amount, a time or a telephone, and the answer holds all that it asks for. Places are
    left out: nearly every answer names one.
    """
    asked = normalise(text)
    wanted = [holds for asks, holds in _KINDS[:_TOLD] if asks.search(asked)]
    return bool(wanted) and all(holds.search(answer) for holds in wanted)


def own_features(text: str, hit: Hit, lexicon: Lexicon) -> Floats:
    """float32 [OWN] of a message and one of its hits."""
    terms, asked = tuple(dict.fromkeys(tokens(text))), normalise(text)
    everywhere = _terms(hit.entry)
    phrase = _terms_of(hit.phrase)
    weights = {term: lexicon.weight(term) for term in phrase.union(terms)}
    whole = sum(weights[term] for term in terms) or 1.0
    strange = [term for term in terms if not lexicon.knows(term)]

    return np.array(
        [
            sum(weights[term] for term in terms if term in everywhere) / whole,
            sum(weights[term] for term in strange) / whole,
            max((weights[term] for term in terms if term not in everywhere), default=0.0),
            sum(weights[t] for t in phrase.intersection(terms)) / (sum(weights[t] for t in phrase) or 1.0),
            max((weights[term] for term in phrase.difference(terms)), default=0.0),
            float(any(asks.search(asked) and not holds.search(hit.entry.answer) for asks, holds in _KINDS)),
            len(strange) / (len(terms) or 1),
            _strange_run(text, lexicon),
        ],
        dtype=np.float32,
    )


@lru_cache(maxsize=2048)
def _terms(entry: Entry) -> frozenset[str]:
    return frozenset(tokens(f"{entry.title}\n{entry.answer}")).union(*map(tokens, entry.phrases))


@lru_cache(maxsize=2048)
def _terms_of(phrase: str) -> frozenset[str]:
    """Of a stored phrasing."""
    return frozenset(tokens(phrase))


def _strange_run(text: str, lexicon: Lexicon) -> int:
    """The longest row of neighbouring pairs of Chinese characters that stand in no stored text."""
    longest = run = 0
    for piece in _RUN.findall(normalise(text)):
        run = 0
        for pair in map("".join, pairwise(piece)):
            run = 0 if pair in STOP_WORDS or lexicon.knows(pair) else run + 1
            longest = max(longest, run)
    return longest


def _odds(probability: float) -> float:
    """Their logarithm."""
    inside = min(max(probability, 0.0), 1.0)
    return math.log((inside + _LEAST) / (1.0 - inside + _LEAST))


def write_answerable(folder: Path, found: Answerable) -> None:
    """answerable.json. The caller makes the folder atomic."""
    told = {name: np.asarray(value).tolist() for name, value in asdict(found).items()}
    text = json.dumps({"features": FEATURES, **told}, indent=1, allow_nan=False)
    (folder / FILE).write_text(text, encoding="utf-8")


def read_answerable(folder: Path) -> Answerable | None:
    """None where there was too little to learn it from. Raises OSError, KeyError, TypeError or ValueError for what is
    none of ours.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    told = json.loads(path.read_text(encoding="utf-8"))
    if tuple(told["features"]) != FEATURES:
        raise ValueError(f"{path}: made for other features; train again")
    centre, scale, weight = (np.array(told[name], dtype=np.float32) for name in ("centre", "scale", "weight"))
    by = {str(lang): float(one) for lang, one in told.get("least_by", {}).items()}
    return Answerable(centre, scale, weight, float(told["bias"]), float(told["least"]), by)
