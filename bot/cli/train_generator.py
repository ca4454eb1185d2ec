"""`kefu train FOLDER --task generator`: a language model taught by the bot's own answers, judged, and put where a
setting finds it once it is no worse than what it began with.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from bot.app import load_definition
from bot.cli.generator_examples import gather, questions_of
from bot.cli.generator_judged import Said, agreement, asked_of, asked_of_file, evaluation, replayed
from bot.cli.model_jobs import RESULT, Asked, Judged, carried_out, put_to_use, result_of, tell
from bot.cli.progress import shown
from bot.cli.rehearsal import rehearsing
from bot.cli.rows import rows_of
from bot.cli.snapshot import Heard, heard_by
from bot.cli.stopping import until_stopped
from bot.cli.train import HINT
from bot.cli.training_jobs import Job
from bot.errors import InferenceError, SettingsError
from bot.inference.child import Progress, run_training
from bot.inference.generators import find_model
from bot.inference.weights import has_chat_template, weights
from bot.settings import Settings
from retrieval.model_folder import EMBEDDED
from training.evaluation import read_evaluation, write_evaluation
from training.generator.examples import Example, read_examples, write_examples
from training.generator.spec import GeneratorSpec, read_generator_spec
from training.language.examples import ABOUT, CARD
from training.spec import SpecError

ADAPTER, MODEL, SAID = "adapter", "model.gguf", "said.json"
"""In the job's folder, as `training.generator.job` writes them."""
BASE = "base.evaluation.json"
AGREES = 0.5
"""How much the file's answers must have in common with the trained model's: rounding moves words, not all of them."""


def read_order(path: Path | None) -> GeneratorSpec:
    """Raises `SettingsError`."""
    try:
        return read_generator_spec(path)
    except SpecError as error:
        raise SettingsError(str(error)) from error


def run(settings: Settings, asked: Asked[GeneratorSpec]) -> None:
    """As `bot.cli.model_jobs.carried_out`."""
    job, judged, place = carried_out(
        settings, asked, work=partial(_run, settings), put=partial(_publish, settings)
    )
    _tell(job, judged, place)


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
    """None where it is worse."""
    model = job.out / MODEL
    files = [job.out / ADAPTER, job.out / RESULT, job.data / CARD, *([model] if model.is_file() else [])]
    place = put_to_use(settings.home / "generators" / job.name, job, judged, files)
    if place is not None:
        model.unlink(missing_ok=True)
    return place


def _tell(job: Job, judged: Judged, place: Path | None) -> None:
    loss = result_of(job)["valid_loss"]
    said = (
        f"Loss of a held-out answer's token: {loss['base'] or 0:.3f} before, {loss['tuned'] or 0:.3f} after."
    )
    tell(job, judged, place, more=[said] if loss["base"] is not None else [])
    if place is None:
        return
    if (place / MODEL).is_file():
        click.echo(f"KEFU_GENERATOR=local KEFU_GENERATOR_MODEL={place / MODEL} lets it answer.")
    else:
        click.echo(f"Its adapter ({place / ADAPTER}) is for a server: see deploy/generator.md.")
