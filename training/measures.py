"""Metrics of an evaluation with their intervals: labels, what is out of scope, rankings, times, sizes. numpy alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.text import script_lang
from training.apply import Floats
from training.bootstrap import (
    Groups,
    Numbers,
    averaged,
    bounded,
    exactly,
    interval,
    mean_of,
    metric,
    percentile_of,
    share_of,
    strata,
)
from training.evaluation import Better, Metric

BINS = 10
"""Of equal width, in which probabilities are compared with what came true."""
IN_SCOPE = 0.95
"""Share of in-scope messages that must remain where out-of-scope recall is read."""
RECALLS = (1, 5, 10)
Metrics = dict[str, Metric]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of n texts: what they are, what they were taken for, and how likely that was."""

    truth: NDArray[np.str_]
    named: NDArray[np.str_]
    sure: Floats

    def of(self, chosen: Bools) -> Outcome:
        return Outcome(self.truth[chosen], self.named[chosen], self.sure[chosen])

    @property
    def right(self) -> Bools:
        same: Bools = self.truth == self.named
        return same


def languages(texts: Sequence[str], told: Sequence[str | None] | None = None) -> list[str]:
    """Of each text: what was told, else its script's; "other" is neither Chinese nor English."""
    known = told or [None] * len(texts)
    return [lang or script_lang(text) or "other" for text, lang in zip(texts, known, strict=True)]


def label_metrics(
    family: str, outcome: Outcome, *, langs: Sequence[str] | None = None, groups: Groups = None
) -> Metrics:
    """`family.accuracy`, `.macro_f1`, `.micro_f1` and `.ece`; the first three for each of several languages too.

    Of one label a text micro F1 is accuracy.
    """
    if not len(outcome.truth):
        return {}

    def some(chosen: Bools, part: Groups) -> Iterator[tuple[str, Metric]]:
        of = outcome.of(chosen)
        right = share_of(of.right, groups=part)
        yield "accuracy", right
        yield "macro_f1", macro_f1(of, groups=part)
        yield "micro_f1", right

    found = _by_language(family, some, langs, groups, rows=len(outcome.truth))
    return found | {f"{family}.ece": calibration_error(outcome, groups=groups)}


def macro_f1(outcome: Outcome, *, groups: Groups = None) -> Metric:
    """Mean of the F1 of those labels that are true or were named, of each draw its own."""
    labels, places = np.unique(np.r_[outcome.truth, outcome.named], return_inverse=True)
    count, rows = len(labels), np.arange(len(outcome.truth))
    columns = np.zeros((len(rows), 2 * count), dtype=np.float32)
    truth, named = places[: len(rows)], places[len(rows) :]
    columns[rows, truth] += 1
    columns[rows, named] += 1  # F1 = 2 * both / (true + named)
    columns[rows[outcome.right], count + truth[outcome.right]] = 1

    def f1(sums: Numbers) -> Numbers:
        either, both = sums[:, :count], sums[:, count:]
        mean: Numbers = (2 * both / np.maximum(either, 1)).sum(axis=1) / np.maximum(
            (either > 0).sum(axis=1), 1
        )
        return mean

    sums = columns.sum(axis=0, dtype=np.float64)
    rows_of = sums[:count] / 2
    return averaged(interval(columns, f1, groups=groups), sums[count:] / rows_of, rows_of)


def calibration_error(outcome: Outcome, *, groups: Groups = None) -> Metric:
    """Expected calibration error (Naeini et al. 2015): the mean distance, over texts, of a bin's mean probability from
    its share of right answers. Its draws lie above it by nature: chance adds distance, so `high` is a cautious end.
    """
    rows, places = np.arange(len(outcome.truth)), bins(outcome.sure)
    columns = np.zeros((len(rows), BINS + 1))
    columns[rows, places] = outcome.sure - outcome.right
    columns[:, BINS] = 1
    return interval(
        columns,
        lambda sums: np.abs(sums[:, :BINS]).sum(axis=1) / np.maximum(sums[:, BINS], 1),
        groups=groups,
        better="lower",
    )


def bins(sure: Floats) -> NDArray[np.int64]:
    """The bin of each probability: bins hold what is above their lower end, up to their upper one."""
    return np.clip(np.ceil(sure * BINS).astype(np.int64) - 1, 0, BINS - 1)


def rank_metrics(
    family: str, places: Sequence[int | None], *, langs: Sequence[str] | None = None, groups: Groups = None
) -> Metrics:
    """`family.recall@1`, `@5`, `@10` and `.mrr`; for each of several languages too.

    `places`: where the first right answer of each question stands, from 1; None where it was not found.
    """
    if not places:
        return {}
    ranks = np.array([np.inf if place is None else place for place in places])

    def some(chosen: Bools, part: Groups) -> Iterator[tuple[str, Metric]]:
        for k in RECALLS:
            yield f"recall@{k}", share_of(ranks[chosen] <= k, groups=part)
        yield "mrr", mean_of(1 / ranks[chosen], groups=part)

    return _by_language(family, some, langs, groups, rows=len(ranks))


def share_metrics(
    family: str,
    what: str,
    right: Sequence[bool],
    *,
    langs: Sequence[str] | None = None,
    better: Better = "higher",
) -> Metrics:
    """`family.what`: a share of the rows; for each of several languages too."""
    if not right:
        return {}
    known = np.array(right, dtype=np.bool_)

    def some(chosen: Bools, part: Groups) -> Iterator[tuple[str, Metric]]:
        yield what, share_of(known[chosen], groups=part, better=better)

    return _by_language(family, some, langs, None, rows=len(known))


def scope_metrics(inside: Floats, outside: Floats) -> Metrics:
    """`scope.auroc`, and `scope.recall@95`: the share of `outside` found where 95 % of `inside` is let through.

    `inside` [n], `outside` [m]: how likely each text is to be out of scope; both are drawn apart, as many as there are.
    """
    if not len(inside) or not len(outside):
        return {}
    sizes = len(inside), len(outside)
    return {
        "scope.auroc": _of_both(_auroc, inside, outside, units=min(sizes)),
        "scope.recall@95": _of_both(_recall, inside, outside, units=sizes[1]),
    }


def parting_metrics(
    family: str, scores: Sequence[float], right: Sequence[bool], *, langs: Sequence[str]
) -> Metrics:
    """`family.auroc`: the share of pairs, one right and one not, in which the right one has the larger score; for each
    of several languages too, where it has both.
    """
    found, yes = np.asarray(scores, dtype=np.float32), np.asarray(right, dtype=np.bool_)

    def some(chosen: Bools, _: Groups) -> Iterator[tuple[str, Metric]]:
        low, high = found[chosen & ~yes], found[chosen & yes]
        if len(low) and len(high):
            yield "auroc", _of_both(_auroc, low, high, units=min(len(low), len(high)))

    return _by_language(family, some, langs, None, rows=len(found))


def _of_both(
    figure: Callable[[_Pair, _Pair], Numbers], inside: Floats, outside: Floats, *, units: int
) -> Metric:
    """Both are drawn apart, as many as there are."""
    scores = np.sort(inside), np.sort(outside)
    once = np.ones((1, len(inside)), np.float32), np.ones((1, len(outside)), np.float32)
    draws = np.concatenate([figure(scores, part) for part in strata(len(inside), len(outside))])
    value = float(figure(scores, once)[0])
    return bounded(metric(value, draws, len(inside) + len(outside)), units=units)


_Pair = tuple[Floats, ...]
"""Of what is inside, and of what is outside."""


def _auroc(scores: _Pair, drawn: _Pair) -> Numbers:
    """Share of pairs in which the one outside has the larger score, a half where both have the same. Sorted scores."""
    below = np.zeros((len(drawn[0]), len(scores[0]) + 1))
    np.cumsum(drawn[0], axis=1, out=below[:, 1:])
    less, upto = (below[:, np.searchsorted(scores[0], scores[1], side=side)] for side in ("left", "right"))
    won: Numbers = ((less + upto) / 2 * drawn[1]).sum(axis=1)
    return won / (len(scores[0]) * len(scores[1]))


def _recall(scores: _Pair, drawn: _Pair) -> Numbers:
    """Share of what is outside above the lowest limit that lets the share IN_SCOPE of what is inside through."""
    size = len(scores[0])
    needed = np.ceil(IN_SCOPE * size - 1e-9)
    limits = scores[0][(np.cumsum(drawn[0], axis=1) >= needed).argmax(axis=1)]
    above = np.zeros((len(drawn[1]), len(scores[1]) + 1))
    above[:, :-1] = np.cumsum(drawn[1][:, ::-1], axis=1)[:, ::-1]
    found: Numbers = above[np.arange(len(limits)), np.searchsorted(scores[1], limits, side="right")]
    return found / len(scores[1])


def latency_metrics(milliseconds: Sequence[float]) -> Metrics:
    """`latency.ms` (the median) and `latency.ms_p95`, of texts one at a time."""
    if not milliseconds:
        return {}
    times = np.asarray(milliseconds, dtype=np.float64)
    return {"latency.ms": percentile_of(times, 50), "latency.ms_p95": percentile_of(times, 95)}


def size_metrics(files: Sequence[Path], *, parameters: int | None = None) -> Metrics:
    """`size.mb` (millions of bytes of the files that are served), and `size.parameters` where their number is known."""
    sizes = {"size.mb": exactly(sum(path.stat().st_size for path in files) / 1e6, better="lower")}
    if parameters is not None:
        sizes["size.parameters"] = exactly(float(parameters), better="lower")
    return sizes


def _by_language(
    family: str,
    figures: Callable[[Bools, Groups], Iterator[tuple[str, Metric]]],
    langs: Sequence[str] | None,
    groups: Groups,
    *,
    rows: int,
) -> Metrics:
    found = {f"{family}.{name}": one for name, one in figures(np.ones(rows, np.bool_), groups)}
    several = sorted(set(langs or ()))
    for lang in several if len(several) > 1 else ():
        chosen = np.array([one == lang for one in langs or ()], dtype=np.bool_)
        part = None if groups is None else [groups[row] for row in np.flatnonzero(chosen).tolist()]
        found |= {f"{family}.{name}.{lang}": one for name, one in figures(chosen, part)}
    return found


def families(metrics: Mapping[str, Metric]) -> list[str]:
    """What was measured, in the order in which it stands there."""
    return list(dict.fromkeys(name.partition(".")[0] for name in metrics))
