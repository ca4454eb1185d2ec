"""What every stage of a job needs at hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from training.job.place import Place
from training.job.stop import Stop
from training.progress import Report
from training.spec import Spec


@dataclass(frozen=True, slots=True)
class Run:
    """`base`: the folder of the encoder that it begins with. `threads`: of a CPU, 0 for all cores."""

    spec: Spec
    place: Place
    base: Path
    threads: int
    say: Report
    stop: Stop

    @property
    def checkpoint_seconds(self) -> float:
        return self.spec.checkpoint_seconds
