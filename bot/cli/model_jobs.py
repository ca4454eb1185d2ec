"""What the tasks of `kefu train` that teach a language model have in common: a job that is gone on with, base and tuned
model side by side, and a place where a setting finds what is no worse.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import click
from rich.console import Console
from rich.table import Column, Table

from bot.cli import training_jobs as shelf
from bot.cli.options import typed
from bot.cli.stopping import STOPPED, sigterm_as_ctrl_c
from bot.cli.training_jobs import Job
from bot.clock import SystemClock
from bot.errors import HomeError, InferenceError
from bot.settings import Settings
from retrieval.publish import publish
from training.errors import TrainingError
from training.evaluation import Evaluation, to_json, write_evaluation
from training.gate import Verdict, compare
from training.language.spec import ModelSpec
from training.spec import write_spec

TUNED, VERDICT, RESULT = "evaluation.json", "judged.json", "result.json"
S = TypeVar("S", bound=ModelSpec)


@dataclass(frozen=True, slots=True)
class Asked(Generic[S]):
    """As `bot.cli.train_bot.Asked`."""

    spec: S
    name: str | None = None
    talks: bool = True
    resume: bool = False
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """What base and tuned model came to. `agreement`: of the file that was written with the model that was trained, as
    the task has it; None where no file was.
    """

    base: Evaluation
    tuned: Evaluation
    agreement: float | None

    @property
    def verdict(self) -> Verdict:
        return Verdict("tuned", "base", compare(self.tuned, self.base))


def carried_out(
    settings: Settings,
    asked: Asked[S],
    *,
    work: Callable[[Job], Judged],
    put: Callable[[Job, Judged], Path | None],
) -> tuple[Job, Judged, Path | None]:
    """`work` trains and judges, `put` says where it may be used from, if at all. Raises KefuError. Ctrl-C and SIGTERM
    keep what is done: the same command goes on.
    """
    with shelf.training_lock(settings.home):
        job = _job(settings, asked)
        try:
            with sigterm_as_ctrl_c():
                judged = work(job)
        except STOPPED:
            folder, home = typed(settings)
            again = f"kefu train{folder} --task {asked.spec.method} --resume{home}"
            click.echo(f"\nStopped. `{again}` goes on from here ({job.folder}).", err=True)
            raise SystemExit(1) from None
        except TrainingError as error:
            raise InferenceError(str(error), code="training") from error
        place = put(job, judged)
        shelf.finish(job, job.name)
        shelf.prune(settings.home)
    return job, judged, place


def _job(settings: Settings, asked: Asked[S]) -> Job:
    now, task = SystemClock().now(), asked.spec.method
    spec = None if asked.resume else asked.spec.hash
    if not asked.fresh and asked.name is None:
        if (job := shelf.unfinished(settings.home, spec=spec, task=task)) is not None:
            click.echo(f"Going on with {job.name}, with the examples of {job.made:.16}.", err=True)
            return job
        if asked.resume:
            hint = "Leave --resume out to begin one."
            raise HomeError(f"No training of a {task} was stopped.", hint=hint, code="no_job")
    name = asked.name or f"{now:%Y-%m-%d-%H%M%S}-{task}"
    if Path(name).name != name or name.startswith("."):
        raise HomeError(f"`{name}` is no name for a folder.", hint="Use letters, digits and hyphens.")
    job = shelf.begin(settings.home / "training" / name, asked.spec, now, talks=asked.talks)
    write_spec(job.folder / "spec.json", asked.spec)
    return job


def put_to_use(place: Path, job: Job, judged: Judged, files: Iterable[Path]) -> Path | None:
    """Files and folders to `place`, with what was judged; None where it is worse: then all stays in the job's folder,
    and no setting finds it.
    """
    write_evaluation(job.folder / TUNED, judged.tuned)
    told = {"verdict": judged.verdict.to_json(), "agreement": judged.agreement}
    told |= {name: to_json(one) for name, one in (("base", judged.base), ("tuned", judged.tuned))}
    text = json.dumps(told, ensure_ascii=False, indent=1) + "\n"
    (job.folder / VERDICT).write_text(text, encoding="utf-8")
    if not judged.verdict.passed:
        return None
    with publish(place) as folder:
        for path in (job.folder / VERDICT, *files):
            if path.is_dir():
                shutil.copytree(path, folder / path.name)
            else:
                shutil.copy(path, folder / path.name)
    return place


def tell(job: Job, judged: Judged, place: Path | None, *, more: Iterable[str] = ()) -> None:
    """Both side by side, then what is known beside, and what became of it."""
    Console().print(_table(judged))
    for line in more:
        click.echo(line)
    if place is not None:
        click.echo(f"It is no worse than its base and lies in {place}.")
        return
    for reason in judged.verdict.reasons:
        click.echo(f"Not let through: {reason}.")
    click.echo(f"It stays in {job.folder}; nothing uses it.")


def result_of(job: Job) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((job.out / RESULT).read_text(encoding="utf-8"))
    return found


def _table(judged: Judged) -> Table:
    """In percent."""
    table = Table(
        Column("judged"), *(Column(n, justify="right") for n in ("base %", "tuned %", "rows")), box=None
    )
    for name, metric in judged.tuned.metrics.items():
        before = judged.base.metrics.get(name)
        was = f"{100 * before.value:.1f}" if before else ""
        table.add_row(name, was, f"{100 * metric.value:.1f}", str(metric.n))
    return table
