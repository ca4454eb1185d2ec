"""`kefu train FOLDER`: from a snapshot of what a bot knows to a release of its own that may be promoted."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from bot.app import encodings_of, load_definition
from bot.cli import train as of_files
from bot.cli import training_jobs as shelf
from bot.cli.beside import baselines, candidate_answers
from bot.cli.bot_entities import entities_judged, told_in_words
from bot.cli.exam import Exam
from bot.cli.options import typed
from bot.cli.progress import shown
from bot.cli.promise_figures import promise_in_words
from bot.cli.releases import show_gate
from bot.cli.report import in_english, room_for
from bot.cli.rows import rows_of
from bot.cli.snapshot import snapshot
from bot.cli.stopping import STOPPED, sigterm_as_ctrl_c
from bot.cli.train_bot_page import PAGE, write_page
from bot.cli.training_jobs import Job
from bot.cli.training_steps import Work, child, train
from bot.clock import SystemClock
from bot.definition import BotDefinition
from bot.definition.questions import find_questions
from bot.errors import HomeError, InferenceError, KefuError
from bot.inference.host import FORESEEN
from bot.settings import Settings
from bot.store import releases
from training.dataset import ABOUT, Dataset, read_dataset
from training.evaluation import Evaluation, joined
from training.outcome import draft_of
from training.registry import Draft, add_release
from training.spec import Spec, read_spec, write_spec
from training.trained import of_dataset

METHOD = "contrastive"
"""Unless something else is asked for: made for a bot's few examples of each label."""
BLEND = 0.5
"""How far a bot's encoder goes from the one that it began with, unless the spec says otherwise.

Customers write otherwise than the phrasings in a bot's folder. Of the example bank's own questions the tuned encoder
alone answers fewer than the untrained one does, halfway nearly as many; of questions that others wrote, halfway
answers more than either. Figures: docs/adr/0017.
"""
UNASKED = "The bot has no questions of its own (tests/*.jsonl): nobody knows what its whole answers are like."


@dataclass(frozen=True, slots=True)
class Asked:
    """`name`: of the job; None: by date and method. `out`: its folder, if not in the home. `talks`: what customers
    confirmed counts too. `resume`: the newest job that was stopped, whatever it was; `fresh`: a new one in any case.
    """

    spec: Spec
    name: str | None = None
    out: Path | None = None
    talks: bool = True
    resume: bool = False
    fresh: bool = False


def read_order(path: Path | None, settings: Settings, *, method: str | None) -> Spec:
    """What the file says, or a bot's own method; then what was typed and set. Raises `SettingsError`."""
    spec = of_files.read_order(path, settings, method=method or (None if path else METHOD))
    if spec.method == "head":
        return spec
    return spec.model_copy(update={"recipe": {"blend": BLEND, **spec.recipe}})


def run(settings: Settings, asked: Asked) -> None:
    """Raises KefuError. Ctrl-C and SIGTERM keep what is done: the same command goes on."""
    questions = find_questions(settings.bot)
    definition = load_definition(settings.bot, memory=settings.documents)
    asked = replace(asked, spec=_on_base(asked.spec, settings, definition))
    exam = Exam(definition, settings, questions)
    with shelf.training_lock(settings.home), _in_words():
        job = _job(settings, asked)
        try:
            with sigterm_as_ctrl_c():
                name, evaluation = _run(exam, job)
        except STOPPED:
            click.echo(f"\nStopped. `{_again(settings, asked)}` goes on from here ({job.folder}).", err=True)
            raise SystemExit(1) from None
        shelf.finish(job, name)
        shelf.prune(settings.home)
    _tell(settings, name, job.folder / PAGE, told=_in_short(evaluation))


def _on_base(spec: Spec, settings: Settings, definition: BotDefinition) -> Spec:
    """A release without an encoder answers with the bot's base: a head that was fitted on another one would be worth
    nothing. What tunes an encoder begins with the embedded one, whatever was learned from it before.
    """
    if spec.method != "head" or spec.encoder != settings.base_encoder():
        return spec
    return spec.model_copy(update={"encoder": settings.base_encoder(definition.encoder)})


def show_jobs(settings: Settings) -> None:
    table = Table(Column("job", no_wrap=True), Column("method", no_wrap=True), "begun", "state", box=None)
    busy = shelf.at_work(settings.home)
    for job in shelf.jobs(settings.home):
        of_task = f" --task {job.method}" if job.method in shelf.TASKS else ""
        state = job.release or ("at work" if busy else f"stopped: `kefu train{of_task} --resume` goes on")
        busy = busy and job.release is not None
        table.add_row(escape(job.name), job.method, f"{job.made:.16}".replace("T", " "), escape(state))
    if table.row_count:
        Console(soft_wrap=True).print(table)
    else:
        click.echo("The bot was not trained yet.")


def _job(settings: Settings, asked: Asked) -> Job:
    """One that was stopped, or a new one."""
    now = SystemClock().now()
    name = asked.name or f"{now:%Y-%m-%d-%H%M%S}-{asked.spec.method}"
    if Path(name).name != name or name.startswith("."):
        raise HomeError(f"`{name}` is no name for a folder.", hint="Use letters, digits and hyphens.")
    folder = asked.out or settings.home / "training" / name
    if (job := _stopped(settings, asked, folder)) is not None:
        click.echo(
            f"Going on with {job.name}, with the data of {job.made:.16}. `--fresh` begins anew.", err=True
        )
        return job
    job = shelf.begin(folder, asked.spec, now, talks=asked.talks)
    write_spec(job.folder / "spec.json", asked.spec)
    return job


def _stopped(settings: Settings, asked: Asked, folder: Path) -> Job | None:
    if asked.resume:
        job = shelf.unfinished(settings.home, spec=None)
        if job is None:
            raise HomeError(
                "No training was stopped.", hint="Leave --resume out to begin one.", code="no_job"
            )
        return job
    if asked.fresh:
        return None
    if asked.name is None and asked.out is None:
        return shelf.unfinished(settings.home, spec=asked.spec.hash)
    job = shelf.read(folder)
    if job is not None and job.release is None and job.spec != asked.spec.hash:
        raise HomeError(
            f"{folder} was begun with another method or spec.", hint="Name another.", code="exists"
        )
    return job if job is not None and job.release is None else None


def _run(exam: Exam, job: Job) -> tuple[str, Evaluation]:
    """The name of the release, and how good it is."""
    settings = exam.settings
    with shown(Console(stderr=True)) as progress, rows_of(settings) as rows:
        live = rows.read(releases.aliases).live
        work = Work(job, read_spec(job.folder / "spec.json"), settings, rows, live, progress, exam)
        data = _data(work, exam.definition)
        train(work, work.spec, job.out)
        progress("Comparing with what is live", 0, 0)
        known = baselines(work, data)
        draft = _draft(work, data, known, entities_judged(work, exam.definition))
        release = add_release(work.releases, draft, now=SystemClock().now())
        rows.write(partial(releases.offer, name=release.name, now=SystemClock().now()))
        live_one = (live, known.get(live))
        with room_for(f"{job.folder} takes no report"):
            write_page(
                job.folder, job.out, definition=exam.definition, release=release, data=data, live=live_one
            )
    return release.name, release.evaluation


def _data(work: Work, definition: BotDefinition) -> Dataset:
    """Made once: a job that goes on learns from what it began with."""
    job = work.job
    if not (job.data / ABOUT).is_file():
        work.progress("Reading the bot", 0, 0)
        shutil.rmtree(job.found, ignore_errors=True)
        job.found.mkdir()
        snapshot(definition, work.rows, job.found, seed=work.spec.seed, talks=job.talks)
        words = ["--work", str(job.found), "--out", str(job.data), "--learn", str(work.spec.learn)]
        child(work, "dataset", words)
    shutil.rmtree(job.found, ignore_errors=True)
    return read_dataset(job.data)


def _draft(work: Work, data: Dataset, known: Mapping[str, Evaluation], entities: Evaluation | None) -> Draft:
    answers = candidate_answers(work, data)
    more = [*answers, *([entities] if entities else [])]
    draft = draft_of(work.job.out, baselines=known, parent=work.live, data=data, more=more)
    notes = [*_seen_before(work, data), *([] if work.exam.questions else [UNASKED])]
    notes += _in_short(joined(more))
    card = draft.card + "".join(f"\n{note}\n" for note in notes)
    return replace(draft, card=card, settings={**draft.settings, "job": work.job.name})


def _seen_before(work: Work, data: Dataset) -> Iterator[str]:
    """Texts change sides when the bot changes: what is live may have learned from those that it is judged by."""
    try:
        known = encodings_of(work.settings, work.exam.definition).trained(work.live)
    except FORESEEN:
        return  # damaged: it was told when it could not be compared with
    if count := len(of_dataset(data, "test") & known):
        yield f"{work.live} was trained on {count} of the test texts: the figures of it flatter it."


def _in_short(evaluation: Evaluation) -> Iterator[str]:
    """What the gate does not count, a line each: how entities are found, and what the promise comes to."""
    details = evaluation.details
    if "entities" in details:
        yield told_in_words(details["entities"])
    if "promise" in details:
        yield from in_english(promise_in_words(details["promise"]))


def _tell(settings: Settings, name: str, report: Path, *, told: Iterable[str]) -> None:
    passed = show_gate(settings, name, as_json=False)
    for line in told:
        click.echo(line)
    click.echo(f"Wrote {report}.")
    folder, home = typed(settings)
    go = f"`kefu releases{folder} promote {name}{home}` lets it go live."
    click.echo(f"{name} is the candidate. {go if passed else 'What is live stays.'}")


def _again(settings: Settings, asked: Asked) -> str:
    folder, home = typed(settings)
    return (
        f"kefu train{folder} --resume{home}"
        if asked.out is None
        else f"kefu train{folder} --out {asked.out}{home}"
    )


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except KefuError:
        raise
    except FORESEEN as error:
        raise InferenceError(str(error), code="training") from error
