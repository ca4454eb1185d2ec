"""Heads and calibrators, applied. numpy alone: this is what the server imports of `training`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.types import Hit
from training.neighbours import Neighbours
from training.words import WordHead

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


def spoken(labels: Iterable[str]) -> list[tuple[str, str]]:
    """(text, label) of each label once, sorted: what its author calls it is one example more. "card_lost": card lost.

    Not of out_of_scope, whose name is nothing that anybody would say.
    """
    return [(label.replace("_", " "), label) for label in sorted(set(labels)) if label != OUT_OF_SCOPE]


@dataclass(frozen=True, slots=True)
class Scores:
    """Probabilities of one text by label: float32 [labels]. `places`: where each label stands."""

    labels: Sequence[str]
    places: Mapping[str, int]
    values: Floats

    @classmethod
    def of(cls, probabilities: Mapping[str, float]) -> Scores:
        labels = tuple(probabilities)
        places = {label: place for place, label in enumerate(labels)}
        return cls(labels, places, np.array(list(probabilities.values()), dtype=np.float32))

    def get(self, label: str, default: float = 0.0) -> float:
        place = self.places.get(label)
        return default if place is None else float(self.values[place])

    def top(self, count: int) -> list[tuple[str, float]]:
        """The likeliest labels, best first."""
        best = np.argsort(-self.values, kind="stable")[:count]
        return [(self.labels[place], float(self.values[place])) for place in best]


def evidence(scores: Sequence[Scores], labels: Sequence[Sequence[str]], *, unknown: float) -> Floats:
    """float32 [2, n]: logarithm of each label's probability, and its lead over the best other label.

    `labels`: of each text, whose scores are by the same head; `n`: all of them, one text after the other.
    """
    text = _numbers(labels)
    pairs = zip(scores, labels, strict=True)
    places = np.array([one.places.get(label, -1) for one, own in pairs for label in own], dtype=np.int64)
    known = np.stack([one.values for one in scores])
    if known.shape[1] < 2:
        known = np.pad(known, ((0, 0), (0, 2 - known.shape[1])))
    values = np.where(places < 0, np.float32(unknown), known[text, places])
    second, best = np.partition(known, -2)[:, -2:].T[:, text]
    own = np.log(values + np.float32(FLOOR))
    # Of several with the same largest value each has a lead of nothing over the next.
    lead = own - np.log(np.where((places >= 0) & (values == best), second, best) + np.float32(FLOOR))
    return np.stack([own, lead])


def _numbers(parts: Sequence[Sequence[Any]]) -> NDArray[np.int64]:
    """int64 [all that the parts hold]: the number of the part that each stands in."""
    return np.repeat(np.arange(len(parts)), [len(part) for part in parts])


@dataclass(frozen=True, slots=True)
class IntentHead:
    """Multinomial logistic regression on the encoder's vector, with the text's words beside it, temperature-scaled.

    softmax((log p(label | vector) + share * margin(label | words)) / T). Where there are `near` ones, p(label | vector)
    is weighed with theirs. Temperature scaling: Guo et al. 2017, On
    Calibration of Modern Neural Networks.
    """

    labels: tuple[str, ...]
    mean: Floats
    scale: Floats
    weight: Floats
    bias: Floats
    temperature: float
    words: WordHead | None = None
    share: float = 0.0
    """How much a margin of the words counts beside a logarithm of a probability."""
    near: Neighbours | None = None
    near_share: float = 0.0
    """How much their logarithm of a probability counts beside the regression's."""
    places: Mapping[str, int] = field(init=False, repr=False, compare=False)
    """Where each label stands."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", {label: place for place, label in enumerate(self.labels)})

    def scores(self, vectors: Floats, texts: Sequence[str]) -> list[Scores]:
        """float32 [n, dim] and the n texts -> the probabilities of each."""
        return [Scores(self.labels, self.places, row) for row in self.probabilities(vectors, texts)]

    def probabilities(self, vectors: Floats, texts: Sequence[str]) -> Floats:
        """float32 [n, dim] and the n texts -> float32 [n, labels], rows sum to 1."""
        logits = self.log_probabilities(vectors)
        if self.words is not None:
            logits = logits + np.float32(self.share) * self.words.margins(texts)
        scaled: Floats = logits / np.float32(self.temperature)
        return np.exp(_log_softmax(scaled))

    def log_probabilities(self, vectors: Floats) -> Floats:
        """float32 [n, dim] -> float32 [n, labels]: of the vectors alone, at temperature 1."""
        logits = ((vectors - self.mean) / self.scale) @ self.weight.T + self.bias
        logs = _log_softmax(logits.astype(np.float32))
        if self.near is None:
            return logs
        return _log_softmax(logs + np.float32(self.near_share) * self.near.log_probabilities(vectors))


def _log_softmax(logits: Floats) -> Floats:
    if not logits.shape[1]:
        return logits.astype(np.float32)
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs: Floats = (shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))).astype(np.float32)
    return logs


@dataclass(frozen=True, slots=True)
class Groups:
    """Which candidates belong together. `asked` [n]: number of the text, ascending; `topics` [n]: number of the topic,
    of each text its own; `foreign` [texts, 2]: `foreignness` of each.
    """

    asked: NDArray[np.int64]
    topics: NDArray[np.int64]
    foreign: Floats

    @classmethod
    def of(cls, keys: Sequence[Sequence[str]], foreign: Floats) -> Groups:
        """`keys`: topics of each text's candidates."""
        numbers: dict[tuple[int, str], int] = {}
        own = [
            numbers.setdefault((text, key), len(numbers)) for text, part in enumerate(keys) for key in part
        ]
        return cls(_numbers(keys), np.array(own, dtype=np.int64), foreign)


@dataclass(frozen=True, slots=True)
class Calibrator:
    """Of a message's candidates one topic is right, or none is: how likely each.

    A conditional logit (McFadden 1974) over `FEATURES` whose way out, "none", is weighed by how foreign the message
    looks: exp(candidate) / (exp(none) + the sum over all of its candidates). So topics share what there is to share,
    and the second best is no likelier than it is.

    A feature that is not a number says nothing: `centre` lies midway between right and wrong candidates, so that it
    counts for neither.
    """

    centre: Floats
    scale: Floats
    weight: Floats
    none: Floats
    """[3]: weights of `foreignness` (their logarithms), and a constant."""

    def confidence(self, features: Floats, groups: Groups) -> Floats:
        """float32 [n, FEATURES] -> float32 [n] in 0..1: that the candidate's topic is right."""
        own = _powers(standardised(features, self.centre, self.scale) @ self.weight)
        none = _powers(np.log(groups.foreign + np.float32(FLOOR)) @ self.none[:2] + self.none[2])
        whole = none + np.bincount(groups.asked, own, len(none))
        sure: Floats = (np.bincount(groups.topics, own)[groups.topics] / whole[groups.asked]).astype(
            np.float32
        )
        return sure


def _powers(logits: Floats) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.exp(np.clip(logits, -30, 30), dtype=np.float64)
    return found


def standardised(features: Floats, centre: Floats, scale: Floats) -> Floats:
    """float32 [n, F]; 0 where a feature is not a number."""
    found: Floats = np.nan_to_num((features - centre) / scale, nan=0.0)
    return found


@dataclass(frozen=True, slots=True)
class Heads:
    """What a release adds to its encoder. `calibrator` is None where there was too little to fit one."""

    name: str
    intent: IntentHead
    topic: IntentHead
    """Which stored answer, learned across languages; without labels where there are too many or too few topics."""
    calibrator: Calibrator | None

    def read(self, vectors: Floats, texts: Sequence[str]) -> list[Reading]:
        """float32 [n, dim] and the n texts -> what the heads make of each."""
        pairs = zip(self.intent.scores(vectors, texts), self.topic.scores(vectors, texts), strict=True)
        return [Reading(intents, topics) for intents, topics in pairs]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the heads make of one text: intents, and topics (keys of stored answers, and out_of_scope)."""

    intents: Scores
    topics: Scores

    @property
    def foreignness(self) -> tuple[float, float]:
        """Probability of being out of scope, as intents and as topics have it."""
        return self.intents.get(OUT_OF_SCOPE), self.topics.get(OUT_OF_SCOPE)


@dataclass(frozen=True, slots=True)
class Found:
    """One text: what was found for it, and how it reads. `terms`: number of search terms in it."""

    hits: Sequence[Hit]
    reading: Reading
    terms: int
    lang: str


def candidate_features(texts: Sequence[Found]) -> Floats:
    """Evidence for each hit of each text, one text after the other: float32 [hits, FEATURES]. All are read by the
    same heads; numpy takes for many hardly longer than for one.

    A margin is the lead over the text's best hit of another topic; probabilities enter by their logarithm.
    """
    if not texts:
        return np.zeros((0, len(FEATURES)), dtype=np.float32)
    hits = [hit for text in texts for hit in text.hits]
    found = np.array([_seen(hit) for hit in hits], dtype=np.float32).reshape(len(hits), len(_SEEN))
    keys = [[hit.entry.key for hit in text.hits] for text in texts]
    margin = found - _best_others(found, keys)
    intents = [[hit.entry.intent or "" for hit in text.hits] for text in texts]
    intent = evidence([text.reading.intents for text in texts], intents, unknown=0.0)
    # What stands under no intent, as a document's passages do, is not spoken against by any.
    intent[:, [not name for names in intents for name in names]] = np.nan
    topics = [text.reading.topics for text in texts]
    # An answer newer than the head is neither helped nor harmed.
    topic = evidence(topics, keys, unknown=1.0 / (len(topics[0].labels) + 1))
    score, passage, dense, lexical, passage_coverage, coverage = found.T
    own = np.array([(math.log1p(text.terms), text.lang == "zh") for text in texts], dtype=np.float32)
    columns = (
        *(score, margin[:, 0], passage, margin[:, 1], passage_coverage),
        *(dense, margin[:, 2], lexical, margin[:, 3], coverage),
        *(*intent, *topic, *own[_numbers(keys)].T),
    )
    return np.stack(columns, axis=1)


_SEEN = ("score", "passage", "dense", "lexical", "passage_coverage", "coverage")


def _seen(hit: Hit) -> tuple[float, ...]:
    lexical = math.log1p(hit.lexical)
    return hit.score, hit.passage, hit.dense, lexical, hit.passage_coverage, hit.coverage


def _best_others(found: Floats, keys: Sequence[Sequence[str]]) -> Floats:
    """For each row the largest values among its text's rows of other topics; 0 where there are none."""
    numbers: dict[str, int] = {}
    text, most = _numbers(keys), max(map(len, keys))
    place = np.arange(len(text)) - text.searchsorted(text)
    topics = np.zeros((len(keys), most), dtype=np.int64)
    topics[text, place] = [numbers.setdefault(key, len(numbers)) for own in keys for key in own]
    padded = np.full((len(keys), most, found.shape[1]), -np.inf, dtype=np.float32)
    padded[text, place] = found
    others = topics[:, :, None] != topics[:, None, :]
    candidates = np.where(others[..., None], padded[:, None], np.float32(-np.inf))
    best = candidates.max(axis=2, initial=-np.inf)[text, place]
    return np.where(np.isneginf(best), np.float32(0), best)


def save_heads(folder: Path, heads: Heads) -> None:
    """heads.safetensors + heads.json. The caller makes the folder atomic."""
    from safetensors.numpy import save_file

    cal = heads.calibrator
    arrays = _arrays("intent", heads.intent) | _arrays("topic", heads.topic)
    if cal is not None:
        arrays |= {f"cal_{part}": getattr(cal, part) for part in _CALIBRATOR}
    save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, folder / "heads.safetensors")
    about = {
        "name": heads.name,
        "intent": _about(heads.intent),
        "topic": _about(heads.topic),
        "features": FEATURES,
        "calibrated": cal is not None,
    }
    (folder / "heads.json").write_text(json.dumps(about, ensure_ascii=False, indent=1), encoding="utf-8")


def save_head(folder: Path, name: str, head: IntentHead) -> None:
    """One head by itself: NAME.safetensors + NAME.json. The caller makes the folder atomic."""
    from safetensors.numpy import save_file

    arrays = {k: np.ascontiguousarray(v) for k, v in _arrays(name, head).items()}
    save_file(arrays, folder / f"{name}.safetensors")
    text = json.dumps({name: _about(head)}, ensure_ascii=False, indent=1)
    (folder / f"{name}.json").write_text(text, encoding="utf-8")


def load_head(folder: Path, name: str) -> IntentHead:
    """Raises OSError, KeyError or ValueError for what `save_head` did not write."""
    from safetensors.numpy import load_file

    about = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return _head(name, about, load_file(folder / f"{name}.safetensors"))


def load_heads(folder: Path) -> Heads:
    """Raises OSError, KeyError or ValueError for a folder that is missing or not ours; checksums are the registry's."""
    from safetensors.numpy import load_file

    about = json.loads((folder / "heads.json").read_text(encoding="utf-8"))
    if tuple(about["features"]) != FEATURES:
        raise ValueError(f"{folder}: made for other features; train again")
    arrays = load_file(folder / "heads.safetensors")
    cal = None
    if about["calibrated"]:
        cal = Calibrator(*(arrays[f"cal_{part}"] for part in _CALIBRATOR))
    return Heads(about["name"], _head("intent", about, arrays), _head("topic", about, arrays), cal)


def _about(head: IntentHead) -> dict[str, Any]:
    return {
        "labels": head.labels,
        "temperature": head.temperature,
        "share": head.share,
        "grams": list(head.words.places) if head.words else None,
        "near_share": head.near_share if head.near else None,
    }


def _arrays(name: str, head: IntentHead) -> dict[str, Floats]:
    parts = {"mean": head.mean, "scale": head.scale, "weight": head.weight, "bias": head.bias}
    if head.words is not None:
        parts |= {f"words_{part}": getattr(head.words, part) for part in _WORDS}
    if head.near is not None:
        parts |= {f"near_{part}": getattr(head.near, part) for part in _NEAR}
    return {f"{name}_{part}": array for part, array in parts.items()}


_CALIBRATOR = ("centre", "scale", "weight", "none")
_WORDS = ("idf", "weight", "bias")
_NEAR = ("centre", "vectors", "labels")


def _head(name: str, about: Mapping[str, Any], arrays: Mapping[str, Floats]) -> IntentHead:
    own = about[name]
    mean, scale, weight, bias = (arrays[f"{name}_{part}"] for part in ("mean", "scale", "weight", "bias"))
    words = None
    if own["grams"] is not None:
        places = {gram: row for row, gram in enumerate(own["grams"])}
        words = WordHead(places, *(arrays[f"{name}_words_{part}"] for part in _WORDS))
    labels, near, near_share = tuple(own["labels"]), None, own.get("near_share")
    if near_share is not None:
        centre, vectors, numbers = (arrays[f"{name}_near_{part}"] for part in _NEAR)
        near = Neighbours(centre, vectors, numbers.astype(np.int32), len(labels))
    regression = (mean, scale, weight, bias, float(own["temperature"]))
    return IntentHead(labels, *regression, words, float(own["share"]), near, near_share or 0.0)
