"""How far a figure may be off for the rows that happened to be in the test: 95 % intervals. numpy alone.

A share of rows has Wilson's score interval (Wilson 1927; recommended for few rows by Brown, Cai, DasGupta 2001,
"Interval Estimation for a Binomial Proportion"). All others come from the bootstrap (Efron 1979): rows are drawn with
replacement, as many as there are, DRAWS times; of the figures that come out the middle 95 % are the interval. Rows of
one group (a conversation) stand or fall together, so whole groups are drawn (Davison, Hinkley 1997, 3.8). A figure is
computed for all draws at once, out of sums over rows.

No draw holds what no row shows: of five rows that are all right every draw is all right, and the interval would have no
width. So it reaches at least as far as if Z squared (3.84) rows more had been seen, all of them wrong, or all right. Of
a share that is 0 or 1 this is Wilson's interval; of hundreds of rows the bootstrap's own is wider.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluation import Better, Metric

DRAWS = 1_000
SEED = 0
TAILS = (2.5, 97.5)
"""Percentiles between which 95 % lie."""
Z = 1.959964
"""Of a normal distribution 95 % lie between -Z and Z."""
CELLS = 4_000_000
"""Numbers drawn at once: what bounds the memory (32 MB), however long the test is."""

Numbers = NDArray[np.float64]
Columns = NDArray[np.floating[Any]] | NDArray[np.bool_]
Statistic = Callable[[Numbers], Numbers]
"""Sums over the rows of each draw [draws, columns] -> the figure of each draw [draws]."""
Groups = Sequence[str] | None
"""The group of each row; None: each row is one of its own."""


def interval(
    columns: Columns, statistic: Statistic, *, groups: Groups = None, better: Better = "higher"
) -> Metric:
    """The figure of `columns` [rows, columns], between 0 and 1, and its interval. At least one row."""
    rows = len(columns)
    value = float(statistic(columns.sum(axis=0, dtype=np.float64)[None])[0])
    units, kind = _units(np.asarray(columns, dtype=np.float32), groups)
    random = np.random.default_rng(SEED)
    drawn = (_counts(random, kind, len(units), draws=part) for part in _parts(len(kind)))
    found = [statistic((counts @ units).astype(np.float64)) for counts in drawn]
    return bounded(metric(value, np.concatenate(found), rows, better=better), units=len(kind))


def metric(value: float, draws: Numbers, rows: int, *, better: Better = "higher") -> Metric:
    """An interval always holds the figure itself: that of a few rows may lie beyond all draws' middle."""
    low, high = (float(end) for end in np.percentile(draws, TAILS))
    return Metric(value, min(low, value), max(high, value), rows, better)


def bounded(one: Metric, *, units: int) -> Metric:
    """Of a figure between 0 and 1 that as many `units` were drawn for: with what they did not happen to show."""
    more = Z * Z
    low, high = (one.value * units + worst * more for worst in (0, 1))
    return replace(one, low=min(one.low, low / (units + more)), high=max(one.high, high / (units + more)))


def averaged(one: Metric, parts: Numbers, rows: Numbers) -> Metric:
    """Of a mean of figures between 0 and 1, each with rows of its own: with what those did not happen to show, put
    together as of independent figures (Zou, Donner 2008, MOVER).
    """
    unseen = Z * Z / (rows + Z * Z) / len(parts)
    low, high = (float(np.linalg.norm((parts - worst) * unseen)) for worst in (0, 1))
    return replace(
        one, low=max(min(one.low, one.value - low), 0.0), high=min(max(one.high, one.value + high), 1.0)
    )


def share_of(right: NDArray[np.bool_], *, groups: Groups = None, better: Better = "higher") -> Metric:
    """Of rows. At least one row."""
    rows = len(right)
    if groups is not None and len(set(groups)) < rows:
        return mean_of(right, groups=groups, better=better)
    value = float(right.mean())
    middle, more = value + Z * Z / (2 * rows), 1 + Z * Z / rows
    reach = Z * (value * (1 - value) / rows + Z * Z / (4 * rows * rows)) ** 0.5
    low, high = (middle - reach) / more, (middle + reach) / more
    return Metric(value, max(min(low, value), 0.0), min(max(high, value), 1.0), rows, better)


def exactly(value: float, *, better: Better = "higher") -> Metric:
    """A figure that no rows were drawn for, as a size."""
    return Metric(value, value, value, 1, better)


def mean_of(values: Columns, *, groups: Groups = None, better: Better = "higher") -> Metric:
    """Of numbers between 0 and 1, one a row."""
    columns = np.stack([np.asarray(values, dtype=np.float64), np.ones(len(values))], axis=1)
    return interval(
        columns, lambda sums: sums[:, 0] / np.maximum(sums[:, 1], 1), groups=groups, better=better
    )


def percentile_of(values: Columns, percent: float, *, better: Better = "lower") -> Metric:
    """Of numbers that belong to no group, such as times."""
    random, size = np.random.default_rng(SEED), len(values)
    found = [
        np.percentile(values[random.integers(size, size=(part, size))], percent, axis=1)
        for part in _parts(size)
    ]
    return metric(float(np.percentile(values, percent)), np.concatenate(found), size, better=better)


def strata(*sizes: int) -> Iterator[tuple[NDArray[np.float32], ...]]:
    """How often each row of each stratum is drawn: float32 [draws, size] of each, in parts that hold DRAWS together."""
    random = np.random.default_rng(SEED)
    for part in _parts(max(sizes)):
        yield tuple(_counts(random, np.arange(size), size, draws=part) for size in sizes)


def _units(columns: NDArray[np.float32], groups: Groups) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """What is drawn from: sums of each kind of unit [kinds, columns], and the kind of each unit.

    Rows that count the same are one kind, so that a few sums do for many rows.
    """
    if groups is not None and len(set(groups)) < len(columns):
        names, place = np.unique(np.asarray(groups), return_inverse=True)
        sums = np.zeros((len(names), columns.shape[1]), dtype=np.float32)
        np.add.at(sums, place, columns)
        columns = sums
    return np.unique(columns, axis=0, return_inverse=True)


def _counts(
    random: np.random.Generator, kind: NDArray[np.intp], kinds: int, *, draws: int
) -> NDArray[np.float32]:
    """How often each kind is drawn: float32 [draws, kinds]."""
    drawn = kind[random.integers(len(kind), size=(draws, len(kind)))]
    places = drawn + np.arange(draws)[:, None] * kinds
    return np.bincount(places.ravel(), minlength=draws * kinds).reshape(draws, kinds).astype(np.float32)


def _parts(size: int) -> Iterator[int]:
    most = max(CELLS // max(size, 1), 1)
    for start in range(0, DRAWS, most):
        yield min(most, DRAWS - start)
