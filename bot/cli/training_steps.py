"""What all steps of a bot's training need at hand, and how they run: in child processes that may be stopped."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bot.cli.exam import Exam
from bot.cli.rows import Rows
from bot.cli.train import HINT
from bot.cli.training_jobs import Job
from bot.inference.child import Progress, run_training
from bot.settings import Settings
from training.spec import Spec, write_spec

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Work:
    """What every step of a job needs at hand. `live`: the name of the release that is live."""

    job: Job
    spec: Spec
    settings: Settings
    rows: Rows
    live: str
    progress: Progress
    exam: Exam
    """The bot, and what it is asked."""

    @property
    def releases(self) -> Path:
        return self.settings.home / "releases"


def train(work: Work, spec: Spec, out: Path) -> None:
    """By `spec`, on the job's data set, into `out`."""
    out.parent.mkdir(exist_ok=True)
    place = work.job.folder / f"{out.name}.spec.json"
    write_spec(place, spec)
    paths = {"--spec": place, "--data": work.job.data, "--out": out, "--cache": work.settings.cache}
    words = [word for name, path in paths.items() for word in (name, str(path))]
    child(work, "run", [*words, "--threads", str(work.settings.encoder_threads)])


def child(work: Work, verb: str, words: list[str]) -> None:
    """`python -m training VERB`. Raises InferenceError."""
    until_stopped(run_training(verb, words, progress=work.progress, hint=HINT))


def until_stopped(steps: Coroutine[Any, Any, T]) -> T:
    """SIGTERM as Ctrl-C: a child keeps its last checkpoint and ends before we do; nothing is left lying about."""

    async def follow() -> T:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await steps

    return asyncio.run(follow())
