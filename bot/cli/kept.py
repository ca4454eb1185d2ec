"""Evaluations that a home keeps by the hash of all that decides them: what was measured once is not measured again."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from training.evaluation import Evaluation, EvaluationError, read_evaluation, write_evaluation

FOLDER = "evaluations"
KEEP = 20
"""The newest stay."""


def place(home: Path, *decides: object) -> Path:
    """Where the evaluation lies that `decides` (JSON) decides."""
    text = json.dumps(decides, ensure_ascii=False, sort_keys=True)
    return home / FOLDER / f"{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}.json"


def find(path: Path) -> Evaluation | None:
    """None where there is none, or a damaged one."""
    try:
        return read_evaluation(path)
    except EvaluationError:
        return None


def keep(path: Path, evaluation: Evaluation) -> Evaluation:
    """Where there is no room it is measured again."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_evaluation(path, evaluation)
        newest = sorted(path.parent.glob("*.json"), key=lambda one: one.stat().st_mtime_ns, reverse=True)
        for old in newest[KEEP:]:
            old.unlink(missing_ok=True)
    return evaluation
