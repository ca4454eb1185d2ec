"""How steady answers are: the same question changed in ways that leave its meaning alone, negated, or asked by others.

numpy alone; what was asked and what came is put in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.bootstrap import Groups, Numbers, interval, mean_of
from training.evaluation import Evaluation, Metric, rows_hash
from training.measures import Metrics, languages

WORST = 5
"""Cases told of each change."""
LEAST = 5
"""Rows of a language or group from which on it is compared with the others."""


@dataclass(frozen=True, slots=True)
class Came:
    """What a bot made of a question. `answer` tells answers apart; `intent` is the likeliest."""

    answer: str
    intent: str | None
    right: bool
    sure: float | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One question before a change and after it. `asked`: its id; trials of one question stand or fall together."""

    change: str
    asked: str
    lang: str | None
    texts: tuple[str, str]
    before: Came
    after: Came

    @property
    def same(self) -> bool:
        return self.before.answer == self.after.answer


@dataclass(frozen=True, slots=True)
class Pair:
    """A wish and its negation. `followed`: the negated one was answered as if the wish had been said."""

    asked: str
    lang: str | None
    texts: tuple[str, str]
    came: tuple[Came, Came]
    followed: bool

    @property
    def told_apart(self) -> bool:
        return self.came[0].right and not self.followed


def judged_changes(trials: Sequence[Trial]) -> Evaluation:
    """`same_answer.CHANGE` and `same_intent.CHANGE`, for each of several languages too; and the worst cases of each."""
    metrics: Metrics = {}
    told: list[dict[str, Any]] = []
    for change in dict.fromkeys(trial.change for trial in trials):
        some = [trial for trial in trials if trial.change == change]
        metrics |= dict(_steady("same_answer", change, some, [trial.same for trial in some]))
        known = [trial for trial in some if trial.before.intent is not None]
        same = [trial.before.intent == trial.after.intent for trial in known]
        metrics |= dict(_steady("same_intent", change, known, same))
        told.append(_told(change, some, metrics))
    rows = ((f"{t.change}\n{t.texts[0]}", t.texts[1]) for t in trials)
    sha = rows_hash(rows)
    tests = {"same_answer": sha, "same_intent": sha} if trials else {}
    return Evaluation(metrics, {"changes": told, "tests": tests} if trials else {})


def judged_pairs(pairs: Sequence[Pair]) -> Evaluation:
    """`negation.told_apart`: the wish is answered rightly, and its negation is not answered as the wish is."""
    if not pairs:
        return Evaluation({})
    langs = _langs([pair.texts[0] for pair in pairs], [pair.lang for pair in pairs])
    apart, followed = [pair.told_apart for pair in pairs], [pair.followed for pair in pairs]
    metrics = dict(_by_language("negation.told_apart", apart, langs, None))
    metrics["negation.followed"] = mean_of(np.array(followed), better="lower")
    rows = [
        {
            "id": pair.asked,
            "texts": list(pair.texts),
            "came": [one.answer for one in pair.came],
            "right": pair.came[0].right,
            "followed": pair.followed,
            "lang": lang,
        }
        for pair, lang in zip(pairs, langs, strict=True)
    ]
    return Evaluation(metrics, {"negation": rows, "tests": {"negation": rows_hash(p.texts for p in pairs)}})


def gap(right: Sequence[bool], of: Sequence[str | None]) -> tuple[Metric | None, list[dict[str, Any]]]:
    """How far the best and the worst of several languages or groups lie apart (0..1), and the share of each.

    Those of fewer than LEAST rows are told and not compared. The gap of few rows is never nothing: chance alone sets
    shares apart, so its interval says more than its value.
    """
    names = sorted({name for name in of if name})
    known = [name for name in names if sum(one == name for one in of) >= LEAST]
    truth, place = np.array(right, dtype=np.bool_), np.array([name or "" for name in of], dtype=np.str_)
    told = [
        {
            "name": name,
            "n": int((place == name).sum()),
            "compared": name in known,
            **_share(truth[place == name]),
        }
        for name in names
    ]
    if len(known) < 2:
        return None, told
    inside = np.isin(place, known)
    columns = np.concatenate([_columns(truth & (place == name), place == name) for name in known], axis=1)[
        inside
    ]

    def apart(sums: Numbers) -> Numbers:
        shares = sums[:, ::2] / np.maximum(sums[:, 1::2], 1)
        found: Numbers = shares.max(axis=1) - shares.min(axis=1)
        return found

    return interval(columns, apart, better="lower"), told


def _columns(right: Any, here: Any) -> Any:
    return np.stack([right, here], axis=1).astype(np.float64)


def _share(right: Any) -> dict[str, float]:
    one = mean_of(right)
    return {"value": one.value, "low": one.low, "high": one.high}


def _steady(
    family: str, change: str, trials: Sequence[Trial], same: Sequence[bool]
) -> Iterator[tuple[str, Metric]]:
    langs = _langs([trial.texts[0] for trial in trials], [trial.lang for trial in trials])
    groups = [trial.asked for trial in trials]
    return _by_language(f"{family}.{change}", same, langs, groups)


def _by_language(
    name: str, right: Sequence[bool], langs: Sequence[str], groups: Groups
) -> Iterator[tuple[str, Metric]]:
    """Nothing for no rows; the share of all, and of each of several languages."""
    if not right:
        return
    known = np.array(right, dtype=np.bool_)
    yield name, mean_of(known, groups=groups)
    for lang in sorted(set(langs)) if len(set(langs)) > 1 else ():
        rows = [row for row, one in enumerate(langs) if one == lang]
        yield f"{name}.{lang}", mean_of(known[rows], groups=groups and [groups[row] for row in rows])


def _langs(texts: Sequence[str], told: Sequence[str | None]) -> list[str]:
    return languages(texts, told)


def _told(change: str, trials: Sequence[Trial], metrics: Mapping[str, Metric]) -> dict[str, Any]:
    """What a page shows of one change. Worst are right answers that were lost, the surest first."""
    worst = sorted(
        (t for t in trials if not t.same),
        key=lambda t: (t.after.right >= t.before.right, -(t.before.sure or 0.0)),
    )
    return {
        "change": change,
        "n": len(trials),
        "questions": len({trial.asked for trial in trials}),
        "same_answer": metrics[f"same_answer.{change}"].value,
        "same_intent": metrics[f"same_intent.{change}"].value if f"same_intent.{change}" in metrics else None,
        "right_before": _mean(trial.before.right for trial in trials),
        "right_after": _mean(trial.after.right for trial in trials),
        "worst": [_case(trial) for trial in worst[:WORST]],
    }


def _case(trial: Trial) -> dict[str, Any]:
    return {
        "id": trial.asked,
        "texts": list(trial.texts),
        "came": [trial.before.answer, trial.after.answer],
        "right": [trial.before.right, trial.after.right],
    }


def _mean(values: Iterable[bool]) -> float:
    return float(np.mean(list(values)))
