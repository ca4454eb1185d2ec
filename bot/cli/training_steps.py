"""What all steps of a bot's training need at hand, and how they run: in child processes that may be stopped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bot.cli.exam import Exam
from bot.cli.rows import Rows
from bot.cli.stopping import until_stopped
from bot.cli.train import HINT
from bot.cli.training_jobs import Job
from bot.inference.child import Progress, run_training
from bot.settings import Settings
from training.spec import Spec, write_spec


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
