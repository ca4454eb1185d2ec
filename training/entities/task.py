"""What entities are judged on (`training.entities.judge`), as files of a job. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from training.entities.spec import Example, KindSpec


@dataclass(frozen=True, slots=True)
class Told:
    """A marked text. `line`: in its file; `lang`: what it is written in."""

    example: Example
    line: int
    lang: str


@dataclass(frozen=True, slots=True)
class EntityTask:
    """Without `test` the texts of `train` are judged, each by what the other folds teach."""

    kinds: dict[str, KindSpec]
    train: tuple[Told, ...]
    valid: tuple[Told, ...] = ()
    test: tuple[Told, ...] = ()


_TASK = TypeAdapter(EntityTask)
FILE, RESULT = "task.json", "result.json"


def read_task(work: Path) -> EntityTask:
    return _TASK.validate_json((work / FILE).read_bytes())


def write_task(work: Path, task: EntityTask) -> None:
    (work / FILE).write_bytes(_TASK.dump_json(task))
