"""The training jobs of a home: a folder each, that is gone on with until there is a release of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from bot.errors import HomeError
from retrieval.publish import publish_files
from training.generator.spec import METHOD as GENERATOR
from training.language.spec import ModelSpec
from training.spec import Spec
from training.verifier.spec import METHOD as VERIFIER

KEEP = 3
"""Finished jobs that stay, for who wants to see what they were made from."""
TASKS = (GENERATOR, VERIFIER)
"""Of language models: methods that are asked for by --task."""
_ORDER = "order.json"


@dataclass(frozen=True, slots=True)
class Job:
    """`spec`: hash of what is asked. `release`: what came of it; None: not finished. `made`: ISO 8601, UTC."""

    folder: Path
    method: str
    spec: str
    made: str
    talks: bool
    release: str | None = None

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def found(self) -> Path:
        """What the data set is made from; gone when it is made."""
        return self.folder / "found"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def keep(self) -> None:
        """Whole or not at all."""
        told = {name: value for name, value in asdict(self).items() if name != "folder"}
        publish_files({self.folder / _ORDER: json.dumps(told, indent=1) + "\n"})


def begin(folder: Path, spec: Spec | ModelSpec, now: datetime, *, talks: bool) -> Job:
    """Raises HomeError."""
    try:
        folder.mkdir(parents=True, mode=0o700)
        job = Job(folder, spec.method, spec.hash, now.isoformat(timespec="seconds"), talks)
        job.keep()
    except FileExistsError:
        raise HomeError(f"{folder} is there already.", hint="Name another.", code="exists") from None
    except OSError as error:
        raise HomeError(
            f"{folder}: {error.strerror}.", hint="Name another home.", code="home_unwritable"
        ) from error
    return job


def jobs(home: Path) -> list[Job]:
    """Newest first."""
    place = home / "training"
    folders = sorted(place.iterdir()) if place.is_dir() else []
    found = [job for folder in folders if (job := read(folder)) is not None]
    return sorted(found, key=lambda job: (job.made, job.name), reverse=True)


def read(folder: Path) -> Job | None:
    """None where there is no job, or one that cannot be read."""
    try:
        return Job(folder, **json.loads((folder / _ORDER).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def unfinished(home: Path, *, spec: str | None, task: str | None = None) -> Job | None:
    """The newest one, of this spec where one is named. `task`: one of TASKS; None: of all others."""
    stopped = (
        job
        for job in jobs(home)
        if job.release is None and (job.method if job.method in TASKS else None) == task
    )
    return next((job for job in stopped if spec in (None, job.spec)), None)


def finish(job: Job, release: str) -> Job:
    """What the release has a copy of goes; figures, card and data stay."""
    done = replace(job, release=release)
    done.keep()
    for heavy in (job.out / "encoder", job.out / "checkpoints", job.folder / "live"):
        shutil.rmtree(heavy, ignore_errors=True)
    return done


def prune(home: Path, *, keep: int = KEEP) -> list[str]:
    """Names of what went: finished jobs beyond the newest ones, and what was stopped before those."""
    known = jobs(home)
    finished = [job for job in known if job.release is not None]
    oldest = finished[keep - 1].made if len(finished) >= keep else ""
    gone = [job for job in known if job.made < oldest]
    for job in gone:
        shutil.rmtree(job.folder, ignore_errors=True)
    return [job.name for job in gone]


@contextmanager
def training_lock(home: Path) -> Iterator[None]:
    """One training a home: two would take each other's cores. Raises HomeError."""
    place = home / "training"
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(place / ".lock", timeout=0)
        lock.acquire()
    except Timeout:
        hint = "Wait for it, or stop it with Ctrl-C where it runs."
        raise HomeError(f"A training is at work in {home}.", hint=hint, code="training") from None
    except OSError as error:
        raise HomeError(
            f"{place}: {error.strerror}.", hint="Name another home.", code="home_unwritable"
        ) from error
    try:
        yield
    finally:
        lock.release()


def at_work(home: Path) -> bool:
    """Whether a training of this home runs."""
    place = home / "training" / ".lock"
    if not place.exists():
        return False
    try:
        with FileLock(place, timeout=0):
            return False
    except Timeout:
        return True
