"""An evaluation: figures with their intervals, and what a page shows beside them. Torch-free.

`evaluation.json`: {"metrics": {name: {"value", "low", "high", "n", "better"}}, "details": {...}}. A metric is named
`family.what` or `family.what.language`: `intent.accuracy`, `intent.macro_f1.zh`, `retrieval.recall@1`, `latency.ms`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from retrieval.publish import publish_files
from training.errors import TrainingError

EVALUATION = "evaluation.json"
Better = Literal["higher", "lower"]


class EvaluationError(TrainingError):
    """An evaluation is missing or cannot be read."""


@dataclass(frozen=True, slots=True)
class Metric:
    """`low` to `high`: 95 % (`training.bootstrap`); both are `value` where no rows decide. `n`: rows behind it."""

    value: float
    low: float
    high: float
    n: int
    better: Better = "higher"

    def worse_than(self, other: Metric) -> bool:
        """By more than the interval of `other`: its value lies beyond the other's worse end."""
        return self.value < other.low if self.better == "higher" else self.value > other.high


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`details`: what a page shows (labels, confusions, calibration, ...), JSON by family; `tests`: see `tests`."""

    metrics: Mapping[str, Metric]
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tests(self) -> Mapping[str, str]:
        """Content hash of the rows that each family was judged on: figures of other rows do not compare."""
        found: Mapping[str, str] = self.details.get("tests", {})
        return found

    def same_test(self, other: Evaluation, name: str) -> bool:
        """Whether the metric of that name was measured on the same rows in both. True where neither has any."""
        family = name.partition(".")[0]
        return self.tests.get(family) == other.tests.get(family)


def joined(parts: Iterable[Evaluation]) -> Evaluation:
    """All metrics and details of all parts; a later part wins, except that `tests` are put together."""
    metrics: dict[str, Metric] = {}
    details: dict[str, Any] = {}
    tests: dict[str, str] = {}
    for part in parts:
        metrics |= part.metrics
        details |= part.details
        tests |= part.tests
    return Evaluation(metrics, details | {"tests": tests} if tests else details)


def rows_hash(rows: Iterable[tuple[str, str]]) -> str:
    """SHA-256 (hex) of (text, label) rows, in whatever order they stand."""
    text = json.dumps(sorted(rows), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    metrics = {name: asdict(metric) for name, metric in evaluation.metrics.items()}
    return {"metrics": metrics, "details": dict(evaluation.details)}


def from_json(body: Mapping[str, Any]) -> Evaluation:
    """Raises KeyError, TypeError or ValueError for what is none."""
    return Evaluation({str(name): _metric(row) for name, row in body["metrics"].items()}, body["details"])


def _metric(row: Mapping[str, Any]) -> Metric:
    value, low, high = (float(row[key]) for key in ("value", "low", "high"))
    if not low <= value <= high or not all(map(math.isfinite, (value, low, high))):
        raise ValueError(f"{value} is not between {low} and {high}")
    if row["better"] not in get_args(Better):
        raise ValueError(f"better is {row['better']}, neither higher nor lower")
    return Metric(value, low, high, int(row["n"]), row["better"])


def write_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Whole or not at all; numbers that are none are refused (ValueError). Raises OSError."""
    text = json.dumps(to_json(evaluation), ensure_ascii=False, indent=1, allow_nan=False)
    publish_files({path: text + "\n"})


def read_evaluation(path: Path) -> Evaluation:
    """Raises EvaluationError."""
    try:
        return from_json(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EvaluationError(f"{path} is no evaluation ({error}).") from error
