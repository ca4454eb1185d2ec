"""What the jobs that tune a language model have in common: what they begin with, and what they are driven with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from retrieval.model_folder import EMBEDDED, sha256_file
from training.job.job import Asked
from training.job.place import JobError, Place
from training.job.stop import Stop
from training.language.spec import ModelSpec
from training.progress import Report

S = TypeVar("S", bound=ModelSpec)


@dataclass(frozen=True, slots=True)
class ModelAsked(Asked):
    """`base`: the file that `embedded` means."""

    base: Path | None = None


@dataclass(frozen=True, slots=True)
class ModelRun(Generic[S]):
    """What a tuner is driven with."""

    spec: S
    place: Place
    say: Report
    stop: Stop

    @property
    def checkpoint_seconds(self) -> float:
        return self.spec.checkpoint_seconds


def source_of(spec: ModelSpec, base: Path | None) -> str:
    """Raises `JobError` where `embedded` is asked for and nobody says which file that is."""
    if spec.base != EMBEDDED:
        return spec.base
    if base is None:
        raise JobError("The spec's base is `embedded`, and nobody said which file that is: say --base FILE")
    return str(base)


def known_by(source: str) -> str:
    """What two bases are told apart by."""
    path = Path(source).expanduser()
    return sha256_file(path) if path.is_file() else source


def array(weight: Any) -> Any:
    return np.ascontiguousarray(weight.cpu().numpy())
