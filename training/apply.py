"""Heads and calibrators, applied. numpy alone: this is what the server imports of `training`."""

from __future__ import annotations

import heapq
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.types import Hit

Floats = NDArray[np.float32]

FEATURES = (
    *("score", "score_margin", "passage", "passage_margin", "passage_coverage"),
    *("dense", "dense_margin", "lexical", "lexical_margin", "coverage"),
    *("intent", "intent_lead", "topic", "topic_lead", "length", "zh"),
)
"""What a candidate's confidence is computed from, in this order (see `candidate_features`)."""


OUT_OF_SCOPE = "out_of_scope"
HITS = 10
"""Entries found for a message: what its confidence is computed among. Both languages of a topic count."""
FLOOR = 1e-3
"""Added to a probability before its logarithm is taken."""


@dataclass(frozen=True, slots=True)
class IntentHead:
    """Multinomial logistic regression on the encoder's vector, temperature-scaled.

    Temperature scaling: Guo et al. 2017, On Calibration of Modern Neural Networks, softmax(z / T).
    """

    labels: tuple[str, ...]
    mean: Floats
    scale: Floats
    weight: Floats
    bias: Floats
    temperature: float

    def probabilities(self, vectors: Floats) -> Floats:
        """float32 [n, dim] -> float32 [n, labels], rows sum to 1."""
        if not self.labels:
            return np.zeros((len(vectors), 0), dtype=np.float32)
        logits = ((vectors - self.mean) / self.scale) @ self.weight.T + self.bias
        logits = logits / self.temperature
        logits -= logits.max(axis=1, keepdims=True)
        powers = np.exp(logits)
        shares: Floats = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
        return shares


@dataclass(frozen=True, slots=True)
class Calibrator:
    """Platt scaling (Platt 1999) over `FEATURES`: probability that a candidate is the right answer."""

    mean: Floats
    scale: Floats
    weight: Floats
    bias: float

    def confidence(self, features: Floats) -> Floats:
        """float32 [n, FEATURES] -> float32 [n] in 0..1."""
        logits = ((features - self.mean) / self.scale) @ self.weight + self.bias
        sure: Floats = (1 / (1 + np.exp(-np.clip(logits, -30, 30)))).astype(np.float32)
        return sure


@dataclass(frozen=True, slots=True)
class Heads:
    """What a release adds to its encoder. `calibrator` is None where there was too little to fit one."""

    name: str
    intent: IntentHead
    topic: IntentHead
    """Which stored answer, learned across languages; without labels where there are too many or too few topics."""
    calibrator: Calibrator | None

    def read(self, vectors: Floats) -> list[Reading]:
        """float32 [n, dim] -> what the heads make of each."""
        intents, topics = self.intent.probabilities(vectors), self.topic.probabilities(vectors)
        return [
            Reading(_named(self.intent.labels, i), _named(self.topic.labels, t))
            for i, t in zip(intents, topics, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Reading:
    """Probabilities by name: of intents, and of topics (keys of stored answers, and out_of_scope)."""

    intents: Mapping[str, float]
    topics: Mapping[str, float]


def _named(labels: Sequence[str], row: Floats) -> dict[str, float]:
    return dict(zip(labels, map(float, row), strict=True))


def candidate_features(hits: Sequence[Hit], *, reading: Reading, terms: int, lang: str) -> Floats:
    """Evidence for each hit: float32 [hits, FEATURES]. `terms`: number of search terms in the message.

    A margin is the lead over the best hit of another topic; probabilities enter by their logarithm.
    """
    found = np.array([_seen(hit) for hit in hits], dtype=np.float32).reshape(len(hits), len(_SEEN))
    margins = found - _best_others(found, [hit.entry.key for hit in hits])
    intents, topics = _Field(reading.intents), _Field(reading.topics)
    neutral = 1.0 / (len(reading.topics) + 1)  # an answer newer than the head is neither helped nor harmed
    said = [
        (
            *intents.evidence(hit.entry.intent or "", unknown=0.0),
            *topics.evidence(hit.entry.key, unknown=neutral),
        )
        for hit in hits
    ]
    rows = [
        (*_interleaved(f, m), *u, np.log1p(terms), float(lang == "zh"))
        for f, m, u in zip(found, margins, said, strict=True)
    ]
    return np.asarray(rows, dtype=np.float32).reshape(len(hits), len(FEATURES))


_SEEN = ("score", "passage", "dense", "lexical", "passage_coverage", "coverage")


def _seen(hit: Hit) -> tuple[float, ...]:
    lexical = float(np.log1p(hit.lexical))
    return hit.score, hit.passage, hit.dense, lexical, hit.passage_coverage, hit.coverage


def _interleaved(found: Floats, margin: Floats) -> tuple[float, ...]:
    """In the order of FEATURES."""
    score, passage, dense, lexical, passage_coverage, coverage = map(float, found)
    lead = [float(m) for m in margin]
    return (
        *(score, lead[0], passage, lead[1], passage_coverage),
        *(dense, lead[2], lexical, lead[3], coverage),
    )


def _best_others(found: Floats, keys: Sequence[str]) -> Floats:
    """For each row the largest values among rows of other topics; 0 where there are none."""
    topics = np.asarray(keys)
    others = [found[topics != key] for key in keys]
    best = [o.max(axis=0) if len(o) else np.zeros(found.shape[1]) for o in others]
    return np.asarray(best, dtype=np.float32).reshape(found.shape)


class _Field:
    """Probabilities by name, asked for one name and its lead over every other. Scope is judged apart, by `decide`."""

    def __init__(self, probabilities: Mapping[str, float]) -> None:
        self._all = probabilities
        ranked = heapq.nlargest(2, probabilities.items(), key=lambda pair: pair[1])
        (self._first, self._best), (_, self._second) = [*ranked, ("", 0.0), ("", 0.0)][:2]

    def evidence(self, name: str, *, unknown: float) -> tuple[float, float]:
        """Logarithm of its probability, and by how much that exceeds the best other's."""
        own = _log(self._all.get(name, unknown))
        return own, own - _log(self._second if name == self._first else self._best)


def _log(probability: float) -> float:
    return float(np.log(probability + FLOOR))


def save_heads(folder: Path, heads: Heads) -> None:
    """heads.safetensors + heads.json. The caller makes the folder atomic."""
    from safetensors.numpy import save_file

    cal = heads.calibrator
    arrays = _arrays("intent", heads.intent) | _arrays("topic", heads.topic)
    if cal is not None:
        arrays |= {"cal_mean": cal.mean, "cal_scale": cal.scale, "cal_weight": cal.weight}
    save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, folder / "heads.safetensors")
    about = {
        "name": heads.name,
        "intent": {"labels": heads.intent.labels, "temperature": heads.intent.temperature},
        "topic": {"labels": heads.topic.labels, "temperature": heads.topic.temperature},
        "features": FEATURES,
        "cal_bias": cal.bias if cal else None,
    }
    (folder / "heads.json").write_text(json.dumps(about, ensure_ascii=False, indent=1), encoding="utf-8")


def load_heads(folder: Path) -> Heads:
    """Raises OSError, KeyError or ValueError for a folder that is missing or not ours; checksums are the registry's."""
    from safetensors.numpy import load_file

    about = json.loads((folder / "heads.json").read_text(encoding="utf-8"))
    if tuple(about["features"]) != FEATURES:
        raise ValueError(f"{folder}: made for other features; train again")
    arrays = load_file(folder / "heads.safetensors")
    cal = None
    if about["cal_bias"] is not None:
        cal = Calibrator(
            arrays["cal_mean"], arrays["cal_scale"], arrays["cal_weight"], float(about["cal_bias"])
        )
    return Heads(about["name"], _head("intent", about, arrays), _head("topic", about, arrays), cal)


def _arrays(name: str, head: IntentHead) -> dict[str, Floats]:
    parts = {"mean": head.mean, "scale": head.scale, "weight": head.weight, "bias": head.bias}
    return {f"{name}_{part}": array for part, array in parts.items()}


def _head(name: str, about: Mapping[str, Any], arrays: Mapping[str, Floats]) -> IntentHead:
    mean, scale, weight, bias = (arrays[f"{name}_{part}"] for part in ("mean", "scale", "weight", "bias"))
    return IntentHead(
        tuple(about[name]["labels"]), mean, scale, weight, bias, float(about[name]["temperature"])
    )
