"""Whether a candidate may go live: two evaluations in, a verdict with a line for each metric out. Torch-free, pure.

A metric fails where the candidate's value lies beyond the worse end of the live release's interval. Where both tell row
by row what was right (`answers.right`), it fails as well where more rows were lost than won and chance explains that
badly: McNemar's exact test (McNemar 1947; as a binomial test of the rows on which the two differ, two-sided, below
CHANCE). On the same rows that sees what two intervals side by side do not. Time and size, which differ by machine and
method, have limits instead (`LIMITS`). What cannot be compared is refused as well: a metric that only the live release
has, other test rows, no figures of the live release at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb
from typing import Any, Literal

from training.evaluation import Evaluation, Metric
from training.release import Release

State = Literal["better", "same", "worse", "missing", "other_rows", "new"]
REFUSED: tuple[State, ...] = ("worse", "missing", "other_rows")


CHANCE = 0.05
PAIRED = "answers.right"
"""Whose rows stand in the details, with what is right and the language."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Of rows that both were judged by: right by the candidate alone, and by the live release alone."""

    won: int
    lost: int

    @property
    def chance(self) -> float:
        """How often a coin gives as uneven a split of these rows, or a more uneven one."""
        rows, few = self.won + self.lost, min(self.won, self.lost)
        tail: int = sum(comb(rows, n) for n in range(few + 1))
        return min(2 * tail / (1 << rows), 1.0)

    @property
    def worse(self) -> bool:
        return self.lost > self.won and self.chance < CHANCE

    def __str__(self) -> str:
        return f"{self.lost} lost, {self.won} won"


@dataclass(frozen=True, slots=True)
class Limit:
    """A candidate may have `share` times the live release's value and `more` on top."""

    share: float
    more: float = 0.0


LIMITS: Mapping[str, Limit] = {"latency": Limit(1.25, more=1.0), "size": Limit(1.5, more=10.0)}
"""By family of metrics: a quarter slower and 1 ms; half as large again and 10 MB (or parameters)."""


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one metric. `worst`: the value up to which the candidate is let through."""

    metric: str
    state: State
    live: Metric | None
    candidate: Metric | None
    worst: float | None
    pair: Pair | None = None

    @property
    def difference(self) -> float | None:
        """Of the values, candidate less live."""
        return self.candidate.value - self.live.value if self.candidate and self.live else None

    def __str__(self) -> str:
        live, mine = (f"{one.value:.4g}" if one else "" for one in (self.live, self.candidate))
        if self.state == "missing":
            return f"{self.metric}: the candidate was not measured by it (live: {live})"
        if self.state == "new":
            return f"{self.metric}: {mine}, and the live release was not measured by it"
        if self.worst is None or self.live is None:
            return f"{self.metric}: measured on other test rows than the live release"
        sign = "at least" if self.live.better == "higher" else "at most"
        if self.pair and self.pair.worse:
            sure = f"that is more than chance explains (p = {self.pair.chance:.2g}); else {sign}"
            return (
                f"{self.metric}: {mine} (live: {live}), {self.pair}: {sure} {self.worst:.4g} is let through"
            )
        return f"{self.metric}: {mine} (live: {live}); {sign} {self.worst:.4g} is let through"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`live`: the name of what the candidate was compared with. Without lines there were no figures of it."""

    candidate: str
    live: str
    lines: tuple[Line, ...]

    @property
    def passed(self) -> bool:
        return not self.reasons

    @property
    def reasons(self) -> list[str]:
        """Why it did not pass, a sentence each."""
        refused = [str(line) for line in self.lines if line.state in REFUSED]
        if not refused and all(line.worst is None for line in self.lines):
            return [f"there are no figures of {self.live} to compare with"]
        return refused

    def to_json(self) -> dict[str, Any]:
        """For a row of history: what was compared, and how it came out."""
        lines = [
            {
                "metric": line.metric,
                "state": line.state,
                "live": line.live.value if line.live else None,
                "candidate": line.candidate.value if line.candidate else None,
                "worst": line.worst,
                **({"won": line.pair.won, "lost": line.pair.lost} if line.pair else {}),
            }
            for line in self.lines
        ]
        return {"passed": self.passed, "candidate": self.candidate, "live": self.live, "lines": lines}


def judge(candidate: Release | None, live: Release | None, *, names: tuple[str, str]) -> Verdict:
    """`names`: of candidate and live; None for `base`, and for what cannot be read."""
    new, old = comparable(candidate, live, names=names)
    return Verdict(*names, compare(new, old) if new and old else ())


def comparable(
    one: Release | None, other: Release | None, *, names: tuple[str, str]
) -> tuple[Evaluation | None, Evaluation | None]:
    """The evaluations of both on the same rows where there are such: figures that one of them brought of the other,
    else of each its own.
    """
    if one and names[1] in one.baselines:
        return one.evaluation, one.baselines[names[1]]
    if other and names[0] in other.baselines:
        return other.baselines[names[0]], other.evaluation
    return (one.evaluation if one else None), (other.evaluation if other else None)


def compare(new: Evaluation, old: Evaluation) -> tuple[Line, ...]:
    """A line for each metric of either: those of `old` first, in its order."""
    names = dict.fromkeys([*old.metrics, *new.metrics])
    return tuple(_line(name, new, old) for name in names)


def _line(name: str, new: Evaluation, old: Evaluation) -> Line:
    mine, live = new.metrics.get(name), old.metrics.get(name)
    if live is None or mine is None:
        return Line(name, "new" if mine else "missing", live, mine, None)
    if not new.same_test(old, name) or mine.better != live.better:
        return Line(name, "other_rows", live, mine, None)
    worst, pair = _worst(name, live), paired(new, old, name)
    state = "worse" if pair and pair.worse else _state(mine, live, worst)
    return Line(name, state, live, mine, worst, pair)


def paired(new: Evaluation, old: Evaluation, name: str) -> Pair | None:
    """None where not both tell which of the same rows were right."""
    if name.split(".")[:2] != PAIRED.split(".") or not new.same_test(old, name):
        return None
    mine, live = (_right(one, name.removeprefix(PAIRED).removeprefix(".")) for one in (new, old))
    if not mine or mine.keys() != live.keys():
        return None
    return Pair(
        won=sum(right and not live[row] for row, right in mine.items()),
        lost=sum(live[row] and not right for row, right in mine.items()),
    )


def _right(one: Evaluation, lang: str) -> dict[str, bool]:
    """By the row's id; of one language, or of all ("")."""
    rows = one.details.get(PAIRED.partition(".")[0], {}).get("rows", ())
    return {str(row["id"]): bool(row["right"]) for row in rows if lang in ("", row["lang"])}


def _worst(name: str, live: Metric) -> float:
    limit = LIMITS.get(name.partition(".")[0])
    if limit is not None and live.better == "lower":
        return live.value * limit.share + limit.more
    return live.low if live.better == "higher" else live.high


def _state(mine: Metric, live: Metric, worst: float) -> State:
    if live.better == "higher":
        return "worse" if mine.value < worst else "better" if mine.value > live.high else "same"
    return "worse" if mine.value > worst else "better" if mine.value < live.low else "same"
