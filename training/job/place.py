"""Where a job's files lie, and whose they are: one spec, one data set, one encoder to begin with, one job at a time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from retrieval.publish import leftovers, publish_files
from training.errors import TrainingError
from training.language.spec import ModelSpec
from training.spec import Spec

FORMAT = 1
_BEGUN = "job.json"


class JobError(TrainingError):
    """A job cannot begin, or cannot go on."""


@dataclass(frozen=True, slots=True)
class Place:
    """The folder `--out` names."""

    folder: Path

    @property
    def spec(self) -> Path:
        return self.folder / "spec.json"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def encoder(self) -> Path:
        return self.folder / "encoder"

    @property
    def heads(self) -> Path:
        return self.folder / "heads"

    @property
    def result(self) -> Path:
        return self.folder / "result.json"

    @property
    def search(self) -> Path:
        return self.folder / "search"

    @property
    def work(self) -> Path:
        """What is needed on the way only."""
        return self.folder / "work"

    def checkpoints(self, stage: str) -> Path:
        return self.folder / "checkpoints" / stage


@contextmanager
def taken(out: Path) -> Iterator[Place]:
    """Nobody else's while it lasts. Raises `JobError`."""
    if out.is_dir() and not (out / _BEGUN).is_file() and any(not _ours(path) for path in out.iterdir()):
        raise JobError(f"{out} holds something else: name a new folder, or one of a job that was stopped")
    out.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out / ".lock", timeout=0):
            place = Place(out)
            for stale in [*leftovers(out), place.work]:
                shutil.rmtree(stale, ignore_errors=True)
            yield place
    except Timeout:
        raise JobError(f"Another job is at work in {out}: wait for it, or stop it") from None


def begin(place: Place, spec: Spec | ModelSpec, told: dict[str, str]) -> None:
    """`told`: hashes of what it is made from, by name. Raises `JobError` where the folder was begun with others."""
    told = {"spec": spec.hash, **told}
    path = place.folder / _BEGUN
    if path.is_file():
        before = _begun(path)
        if changed := [name for name, value in told.items() if before.get(name, value) != value]:
            what = " and ".join(f"the {name}" for name in changed)
            raise JobError(
                f"{place.folder} was begun with something else ({what} changed): "
                "give back what it was begun with, or name a new folder"
            )
        told = {**before, **told}
        if told == before:
            return
    body = json.dumps({"format": FORMAT, **told}, indent=1) + "\n"
    publish_files({place.spec: spec.model_dump_json(indent=1) + "\n", path: body})


def _begun(path: Path) -> dict[str, str]:
    try:
        body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if body.pop("format") == FORMAT:
            return {name: str(value) for name, value in body.items()}
    except (OSError, ValueError, KeyError, AttributeError):
        pass
    raise JobError(f"{path} cannot be read: name a new folder")


def _ours(path: Path) -> bool:
    """What a job leaves that was stopped before it had begun."""
    return path.name.startswith(".") or path.name == "spec.json"
