"""Heads and calibrators, applied. numpy alone: this is what the server imports of `training`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.types import Hit

Floats = NDArray[np.float32]

FEATURES = (
    "dense", "dense_margin", "lexical", "lexical_margin", "coverage", "intent", "scope", "agrees", "length", "zh",
)  # fmt: skip
"""What a candidate's confidence is computed from, in this order (see `candidate_features`)."""


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
    calibrator: Calibrator | None


def candidate_features(
    hits: Sequence[Hit], *, probabilities: dict[str, float], terms: int, lang: str
) -> Floats:
    """Evidence for each hit: float32 [hits, FEATURES]. `terms`: number of search terms in the message."""
    rows = [_row(hit, _best_other(hits, hit), probabilities, terms, lang) for hit in hits]
    return np.asarray(rows, dtype=np.float32).reshape(len(rows), len(FEATURES))


def _best_other(hits: Sequence[Hit], hit: Hit) -> tuple[float, float]:
    others = [h for h in hits if h.entry.key != hit.entry.key]
    return max((h.dense for h in others), default=0.0), max((h.lexical for h in others), default=0.0)


def _row(
    hit: Hit, other: tuple[float, float], probabilities: dict[str, float], terms: int, lang: str
) -> tuple[float, ...]:
    intent = probabilities.get(hit.entry.intent or "", 0.0)
    top = max(probabilities.values(), default=0.0)
    return (
        hit.dense,
        hit.dense - other[0],
        np.log1p(hit.lexical),
        np.log1p(hit.lexical) - np.log1p(other[1]),
        hit.coverage,
        np.log(intent + 1e-3),
        np.log(probabilities.get("out_of_scope", 0.0) + 1e-3),
        float(intent == top and top > 0),
        np.log1p(terms),
        float(lang == "zh"),
    )


def save_heads(folder: Path, heads: Heads) -> None:
    """heads.safetensors + heads.json. The caller makes the folder atomic."""
    from safetensors.numpy import save_file

    head, cal = heads.intent, heads.calibrator
    arrays = {"mean": head.mean, "scale": head.scale, "weight": head.weight, "bias": head.bias}
    if cal is not None:
        arrays |= {"cal_mean": cal.mean, "cal_scale": cal.scale, "cal_weight": cal.weight}
    save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, folder / "heads.safetensors")
    about = {
        "name": heads.name,
        "labels": head.labels,
        "temperature": head.temperature,
        "features": FEATURES,
        "cal_bias": cal.bias if cal else None,
    }
    (folder / "heads.json").write_text(json.dumps(about, ensure_ascii=False, indent=1), encoding="utf-8")


def load_heads(folder: Path) -> Heads:
    """Raises OSError or ValueError for a folder that is missing or not ours; checksums are the registry's."""
    from safetensors.numpy import load_file

    about = json.loads((folder / "heads.json").read_text(encoding="utf-8"))
    if tuple(about["features"]) != FEATURES:
        raise ValueError(f"{folder}: made for other features; train again")
    arrays = load_file(folder / "heads.safetensors")
    head = IntentHead(
        tuple(about["labels"]), arrays["mean"], arrays["scale"], arrays["weight"], arrays["bias"],
        float(about["temperature"]),
    )  # fmt: skip
    cal = None
    if about["cal_bias"] is not None:
        cal = Calibrator(
            arrays["cal_mean"], arrays["cal_scale"], arrays["cal_weight"], float(about["cal_bias"])
        )
    return Heads(about["name"], head, cal)
