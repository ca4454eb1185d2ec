"""The promise "at most 3 % of what is answered is wrong", on texts that nothing was learned from.

Three public sets with foreign questions and typos in them. Of each, twenty random splits: one part picks the threshold,
the other is answered under it. docs/benches.md says what each key means.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bench import NoData, Options
from bench._bank import open_encoder
from bench._promised import Asked, Pool, banking77, clinc150, pool, smp2017
from bench._vectors import Kept
from retrieval.embed import Encoder
from training.promise import Bound, Promise
from training.selective import calibration_error, reliability, risk_coverage
from training.thresholds import conformal_bound, learn_bound

PROMISE = Promise(wrong=0.03, sure=0.99)
SPLITS = 20
CALIBRATION = 0.4
"""Share of the texts that pick the threshold."""
SETS: dict[str, Callable[[Options], list[Asked]]] = {
    "clinc150": clinc150,
    "banking77": banking77,
    "smp2017": smp2017,
}
FOLDERS = {"smp2017": "smp2017_ecdt"}
Pick = Callable[[Pool], Bound]


@dataclass(frozen=True, slots=True)
class Answered:
    """Of the texts that picked no threshold: the share that was answered, and of these the share that was wrong."""

    coverage: float
    wrong: float

    @property
    def kept(self) -> bool:
        return self.wrong <= PROMISE.wrong


def run(options: Options, *, encoder: Encoder | None = None) -> dict[str, float]:
    """Raises `NoData`. `kept`, `coverage`: the smallest of the sets."""
    if options.data is None:
        raise NoData("give the folder of the public data sets: --data DIR")
    kept = Kept(encoder or open_encoder(options), options)
    figures: dict[str, float] = {}
    for name, asked in SETS.items():
        texts = pool(FOLDERS.get(name, name), asked(options), kept, options)
        figures |= {f"{key}_{name}": value for key, value in _figures(texts).items()}
    least = {key: min(figures[f"{key}_{name}"] for name in SETS) for key in ("kept", "coverage")}
    return {"splits": SPLITS, **least, **figures}


def _figures(texts: Pool) -> dict[str, float]:
    ours = splits(texts, lambda part: learn_bound(part.sure, part.right, PROMISE))
    mean = splits(texts, lambda part: conformal_bound(part.sure, part.right, PROMISE.wrong))
    return {
        **_told("", ours),
        **_told("crc_", mean),
        "aurc": 100.0 * risk_coverage(texts.sure, texts.right).area,
        "ece": 100.0 * calibration_error(reliability(texts.sure, texts.right)),
        "texts": len(texts.sure),
    }


def _told(prefix: str, found: Sequence[Answered]) -> dict[str, float]:
    return {
        f"{prefix}kept": sum(one.kept for one in found),
        f"{prefix}coverage": 100.0 * float(np.mean([one.coverage for one in found])),
        f"{prefix}wrong": 100.0 * float(np.mean([one.wrong for one in found])),
        f"{prefix}worst": 100.0 * max(one.wrong for one in found),
    }


def splits(texts: Pool, pick: Pick) -> list[Answered]:
    """`pick` sees one part of each split, and is judged by the other."""
    return [_split(texts, pick, seed) for seed in range(SPLITS)]


def _split(texts: Pool, pick: Pick, seed: int) -> Answered:
    order = np.random.default_rng(seed).permutation(len(texts.sure))
    learned, asked = np.split(order, [round(CALIBRATION * len(order))])
    at = pick(Pool(texts.sure[learned], texts.right[learned])).at
    answered = texts.sure[asked] >= (np.inf if at is None else at)
    wrong = answered & ~texts.right[asked]
    return Answered(float(answered.mean()), float(wrong.sum() / max(answered.sum(), 1)))
