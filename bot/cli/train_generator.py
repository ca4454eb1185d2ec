"""`kefu train FOLDER --task generator`: a language model taught by the bot's own answers, judged, and put where a
setting finds it once it is no worse than what it began with.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Column, Table

from bot.app import load_definition
from bot.cli import training_jobs as shelf
from bot.cli.generator_examples import gather, questions_of
from bot.cli.generator_judged import Said, agreement, asked_of, asked_of_file, evaluation, replayed
from bot.cli.options import typed
from bot.cli.progress import shown
from bot.cli.rehearsal import rehearsing
from bot.cli.rows import rows_of
from bot.cli.snapshot import Heard, heard_by
from bot.cli.stopping import STOPPED, sigterm_as_ctrl_c, until_stopped
from bot.cli.train import HINT
from bot.cli.training_jobs import Job
from bot.clock import SystemClock
from bot.errors import HomeError, InferenceError, SettingsError
from bot.inference.child import Progress, run_training
from bot.inference.generators import find_model
from bot.inference.weights import has_chat_template, weights
from bot.settings import Settings
from retrieval.model_folder import EMBEDDED
from retrieval.publish import publish
from training.errors import TrainingError
from training.evaluation import Evaluation, read_evaluation, to_json, write_evaluation
from training.gate import Verdict, compare
from training.generator.examples import ABOUT, CARD, Example, read_examples, write_examples
from training.generator.spec import GeneratorSpec, read_generator_spec
from training.spec import SpecError, write_spec

ADAPTER, MODEL, SAID, RESULT = "adapter", "model.gguf", "said.json", "result.json"
"""In the job's folder, as `training.generator.job` writes them."""
BASE, TUNED = "base.evaluation.json", "evaluation.json"
AGREES = 0.5
"""How much the file's answers must have in common with the trained model's: rounding moves words, not all of them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """As `bot.cli.train_bot.Asked`."""

    spec: GeneratorSpec
    name: str | None = None
    talks: bool = True
    resume: bool = False
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """What base and tuned model came to. `agreement`: None where no file was written."""

    base: Evaluation
    tuned: Evaluation
    agreement: float | None

    @property
    def verdict(self) -> Verdict:
        return Verdict("tuned", "base", compare(self.tuned, self.base))


def read_order(path: Path | None) -> GeneratorSpec:
    """Raises `SettingsError`."""
    try:
        return read_generator_spec(path)
    except SpecError as error:
        raise SettingsError(str(error)) from error


def run(settings: Settings, asked: Asked) -> None:
    """Raises KefuError. Ctrl-C and SIGTERM keep what is done: the same command goes on."""
    with shelf.training_lock(settings.home):
        job = _job(settings, asked)
        try:
            with sigterm_as_ctrl_c():
                judged = _run(settings, job)
        except STOPPED:
            folder, home = typed(settings)
            again = f"kefu train{folder} --task generator --resume{home}"
            click.echo(f"\nStopped. `{again}` goes on from here ({job.folder}).", err=True)
            raise SystemExit(1) from None
        except TrainingError as error:
            raise InferenceError(str(error), code="training") from error
        place = _publish(settings, job, judged)
        shelf.finish(job, job.name)
        shelf.prune(settings.home)
    _tell(job, judged, place)


def _job(settings: Settings, asked: Asked) -> Job:
    now = SystemClock().now()
    spec = None if asked.resume else asked.spec.hash
    if not asked.fresh and asked.name is None:
        if (job := shelf.unfinished(settings.home, spec=spec, generator=True)) is not None:
            click.echo(f"Going on with {job.name}, with the examples of {job.made:.16}.", err=True)
            return job
        if asked.resume:
            hint = "Leave --resume out to begin one."
            raise HomeError("No training of a generator was stopped.", hint=hint, code="no_job")
    name = asked.name or f"{now:%Y-%m-%d-%H%M%S}-generator"
    if Path(name).name != name or name.startswith("."):
        raise HomeError(f"`{name}` is no name for a folder.", hint="Use letters, digits and hyphens.")
    job = shelf.begin(settings.home / "training" / name, asked.spec, now, talks=asked.talks)
    write_spec(job.folder / "spec.json", asked.spec)
    return job


def _run(settings: Settings, job: Job) -> Judged:
    spec = read_generator_spec(job.folder / "spec.json")
    base = weights(settings.cache) if spec.base == EMBEDDED else None
    if (file := base or _file(spec)) is not None:
        # Now, and not after the hours of training: the file that is written will be asked.
        find_model(str(file), cache=settings.cache, setting="`base`")
        if spec.form == "completion" and has_chat_template(file):
            hint = "Set `form: chat`, or take a base model."
            raise SettingsError(f"{file.name} has a chat template, and will be asked by it.", hint=hint)
    with shown(Console(stderr=True)) as progress:
        if not (job.data / ABOUT).is_file():
            _make_examples(settings, job, spec, progress)
        words = ["--spec", job.folder / "spec.json", "--data", job.data, "--out", job.out]
        words += [*(["--base", base] if base else []), "--threads", str(settings.encoder_threads)]
        until_stopped(run_training("generator", list(map(str, words)), progress=progress, hint=HINT))
        rows = list(questions_of(read_examples(job.data).splits["test"], spec.judged, spec.seed))
        return _judge(settings, job, base=base or _file(spec), rows=rows, progress=progress)


def _file(spec: GeneratorSpec) -> Path | None:
    return Path(spec.base).expanduser() if spec.base.endswith(".gguf") else None


def _make_examples(settings: Settings, job: Job, spec: GeneratorSpec, progress: Progress) -> None:
    progress("Reading the bot", 0, 0)
    definition = load_definition(settings.bot, memory=settings.documents)
    heard = Heard()
    if job.talks:
        with rows_of(settings) as rows:
            heard = heard_by(definition, rows)

    async def made() -> None:
        async with rehearsing(definition, settings, release=None, progress=progress) as bot:
            found, origin = await gather(bot, definition, heard, spec, progress=progress)
        if not found["train"] or not found["test"]:
            hint = "A generator learns from stored answers; ten topics are a beginning."
            raise InferenceError("The bot knows too little to teach a generator by.", hint=hint)
        await asyncio.to_thread(write_examples, job.data, found, origin)

    until_stopped(made())


def _judge(
    settings: Settings,
    job: Job,
    *,
    base: Path | None,
    rows: Sequence[Example],
    progress: Progress,
) -> Judged:
    said = json.loads((job.out / SAID).read_text(encoding="utf-8"))
    elsewhere = {row["id"]: row["tuned"] for row in said}
    if base is None:
        before = {row["id"]: row["base"] for row in said}
        both = [
            _replay(rows, told, name, progress) for told, name in ((before, "base"), (elsewhere, "tuned"))
        ]
        return Judged(evaluation(both[0]), evaluation(both[1]), None)
    if (path := job.folder / BASE).is_file():  # asked before this was stopped
        known = read_evaluation(path)
    else:
        known = evaluation(_ask(settings, base, rows, "the base", progress))
        write_evaluation(path, known)
    # What torch said of these is compared with what the file says.
    ids = {row.id for row in rows}
    more = [
        row for row in read_examples(job.data).splits["test"] if row.id in elsewhere and row.id not in ids
    ]
    tuned = _ask(settings, job.out / MODEL, [*rows, *more], "what was tuned", progress)
    judged = Judged(known, evaluation(tuned[: len(rows)]), agreement(tuned, elsewhere))
    if (judged.agreement or 0.0) < AGREES:
        raise InferenceError(
            f"The file that was written does not say what the trained model says (agreement {judged.agreement:.2f}).",
            hint=f"Nothing was put to use; {job.out} has both.",
        )
    return judged


def _ask(
    settings: Settings, model: Path, rows: Sequence[Example], name: str, progress: Progress
) -> list[Said]:
    ask = partial(asked_of_file, model, rows, name, cache=settings.cache, progress=progress)
    return until_stopped(ask())


def _replay(rows: Sequence[Example], told: Mapping[str, str], name: str, progress: Progress) -> list[Said]:
    some = [row for row in rows if row.id in told]
    return until_stopped(asked_of(lambda row, _: replayed(told[row.id]), some, name, progress=progress))


def _publish(settings: Settings, job: Job, judged: Judged) -> Path | None:
    """Where it may be used from; None where it is worse: then it stays in the job's folder, and no setting finds it."""
    write_evaluation(job.folder / TUNED, judged.tuned)
    told = {"verdict": judged.verdict.to_json(), "agreement": judged.agreement}
    told |= {name: to_json(one) for name, one in (("base", judged.base), ("tuned", judged.tuned))}
    text = json.dumps(told, ensure_ascii=False, indent=1) + "\n"
    (job.folder / "judged.json").write_text(text, encoding="utf-8")
    if not judged.verdict.passed:
        return None
    place = settings.home / "generators" / job.name
    with publish(place) as folder:
        shutil.copytree(job.out / ADAPTER, folder / ADAPTER)
        for path in (job.out / RESULT, job.folder / "judged.json", job.data / CARD):
            shutil.copy(path, folder / path.name)
        if (job.out / MODEL).is_file():
            shutil.copy(job.out / MODEL, folder / MODEL)
    (job.out / MODEL).unlink(missing_ok=True)
    return place


def _tell(job: Job, judged: Judged, place: Path | None) -> None:
    result: dict[str, Any] = json.loads((job.out / RESULT).read_text(encoding="utf-8"))
    console = Console()
    console.print(_table(judged))
    loss = result["valid_loss"]
    if loss["base"] is not None:
        click.echo(
            f"Loss of a held-out answer's token: {loss['base']:.3f} before, {loss['tuned']:.3f} after."
        )
    if place is None:
        for reason in judged.verdict.reasons:
            click.echo(f"Not let through: {reason}.")
        click.echo(f"It stays in {job.folder}; nothing uses it.")
        return
    click.echo(f"It is no worse than its base and lies in {place}.")
    if (place / MODEL).is_file():
        click.echo(f"KEFU_GENERATOR=local KEFU_GENERATOR_MODEL={place / MODEL} lets it answer.")
    else:
        click.echo(f"Its adapter ({place / ADAPTER}) is for a server: see deploy/generator.md.")


def _table(judged: Judged) -> Table:
    """Both models side by side, in percent."""
    table = Table(
        Column("judged"), *(Column(n, justify="right") for n in ("base %", "tuned %", "rows")), box=None
    )
    for name, metric in judged.tuned.metrics.items():
        before = judged.base.metrics.get(name)
        was = f"{100 * before.value:.1f}" if before else ""
        table.add_row(name, was, f"{100 * metric.value:.1f}", str(metric.n))
    return table
