"""The lowest threshold of confidence that keeps a promise about answers. Numbers alone.

Learn then Test (Angelopoulos, Bates, Candès, Jordan, Lei 2021): each threshold of confidence is a hypothesis, "of what
is answered from here on, more than promised is wrong". Thresholds are tested from the surest down, each with an exact
binomial test, and the first that cannot be rejected ends the walk (fixed-sequence testing): what was passed holds for
all of them at once, with the probability `sure`, however many texts there are and whatever the confidences mean.

What it takes: texts to judge by that come as customers' messages do and that no head has learned; and a share of wrong
answers that, once it has risen above the promise on the way down, does not fall below it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.apply import Floats
from training.promise import Bound, Promise

Bools = NDArray[np.bool_]
STEP = 2
"""Each walk begins where this many times as many texts are answered as for the one before."""
GROWTH, STEPS = 1.1, 32
"""So many times as many texts, again and again, are tried to say how many more would do: up to twenty times as many."""


def learn_bound(sure: Floats, right: Bools, promise: Promise) -> Bound:
    """`sure` [n]: how likely the best answer to each text is right; `right` [n]: whether it is (never where there is
    none). The lowest threshold that keeps the promise.
    """
    if len(sure) < promise.fewest:
        return Bound(None, len(sure), missing=promise.fewest - len(sure))
    path = _path(sure, right)
    found = _bound(path, _furthest(path, len(sure), promise), len(sure))
    return found if found.at is not None else replace(found, missing=_lacking(path, len(sure), promise))


def conformal_bound(sure: Floats, right: Bools, wrong: float) -> Bound:
    """For comparison: conformal risk control (Angelopoulos, Bates, Fisch, Lei, Schuster 2022) of the same share. It
    promises the mean over all sets of texts that could have been there to judge by, not the set that there was.
    """
    path = _path(sure, right)
    kept = (path.wrong + 1) <= wrong * (path.answered + 1)
    return _bound(path, int(np.flatnonzero(kept)[-1]) if kept.any() else -1, len(sure))


def upper_limit(wrong: int, answered: int, *, sure: float) -> float:
    """The largest share of wrong answers that so many of so many are still compatible with (Clopper, Pearson 1934)."""
    from scipy.stats import beta

    return 1.0 if wrong >= answered else float(beta.ppf(sure, wrong + 1, answered - wrong))


@dataclass(frozen=True, slots=True)
class _Path:
    """Thresholds from the surest down, ties in one: texts that each answers, and how many of them wrongly."""

    at: Floats
    answered: NDArray[np.int64]
    wrong: NDArray[np.int64]


def _path(sure: Floats, right: Bools) -> _Path:
    order = np.argsort(-sure, kind="stable")
    values = sure[order]
    ends = np.flatnonzero(np.r_[values[1:] < values[:-1], np.ones(min(len(values), 1), dtype=np.bool_)])
    return _Path(values[ends], ends + 1, np.cumsum(~right[order], dtype=np.int64)[ends])


def _furthest(path: _Path, texts: int, promise: Promise) -> int:
    """Place of the last threshold that passes on any walk, -1 for none."""
    from scipy.stats import binom

    starts = _starts(texts, promise)
    firsts = np.searchsorted(path.answered, starts).tolist()
    # One walk's p-values are the next one's, from where that begins.
    p_values = binom.cdf(path.wrong[firsts[0] :], path.answered[firsts[0] :], promise.wrong)
    risk = promise.risk / len(starts)
    return max(_walk(p_values[first - firsts[0] :], first, risk) for first in firsts)


def _lacking(path: _Path, texts: int, promise: Promise) -> int:
    """How many more texts would do if they came as these did, within a tenth; 0: more of the same would not.

    One more mistake is counted in wherever one looks: the surest few say little of many.
    """
    for step in range(1, STEPS + 1):
        times = GROWTH**step
        answered, wrong = np.floor((path.answered + 1) * times), np.ceil((path.wrong + 1) * times)
        grown = _Path(path.at, answered.astype(np.int64), wrong.astype(np.int64))
        if _furthest(grown, round(texts * times), promise) >= 0:
            return round(texts * (times - 1))
    return 0


def _starts(texts: int, promise: Promise) -> Sequence[int]:
    """Where walks begin: one mistake among the surest would end a single one. Depends on the number of texts alone, and
    with so many walks each has its share of the risk.
    """
    starts = [promise.fewest]
    while (more := _spread(promise, len(starts) + 1))[-1] <= texts:
        starts = more
    return starts


def _spread(promise: Promise, walks: int) -> list[int]:
    return [promise.fewest_at(promise.risk / walks) * STEP**number for number in range(walks)]


def _walk(p_values: NDArray[np.float64], first: int, risk: float) -> int:
    """Place of the last threshold that passes, -1 for none. `p_values`: from place `first` on."""
    failed = np.flatnonzero(p_values > risk)
    passed = int(failed[0]) if len(failed) else len(p_values)
    return first + passed - 1 if passed else -1


def _bound(path: _Path, place: int, texts: int) -> Bound:
    if place < 0:
        return Bound(None, texts)
    return Bound(float(path.at[place]), texts, int(path.answered[place]), int(path.wrong[place]))
