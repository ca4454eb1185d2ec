"""`kefu train FOLDER --task verifier`: a language model taught by the bot's contrast sets whether a text answers a
question, judged, and put where a setting finds it once it is no worse than without.
"""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from bot.app import load_definition
from bot.cli.model_jobs import RESULT, Asked, Judged, carried_out, put_to_use, result_of, tell
from bot.cli.progress import shown
from bot.cli.rehearsal import rehearsing
from bot.cli.stopping import until_stopped
from bot.cli.train import HINT
from bot.cli.training_jobs import Job
from bot.cli.verifier_examples import gather
from bot.cli.verifier_judged import differing, evaluation
from bot.definition.contrasts import require_contrasts
from bot.errors import InferenceError, SettingsError
from bot.inference.child import Progress, run_training
from bot.inference.generators import find_model
from bot.inference.weights import QWEN, has_chat_template, weights
from bot.settings import Settings
from retrieval.model_folder import EMBEDDED
from training.language.examples import ABOUT, CARD
from training.spec import SpecError
from training.verifier.examples import read_groups, write_groups
from training.verifier.spec import NOTHING, VerifierSpec, read_verifier_spec

ADAPTER, ODDS = "adapter.gguf", "judged.json"
"""In the job's folder, as `training.verifier.job` writes them."""
NAME = "qwen-1.5b"
"""What `embedded` means, as KEFU_VERIFIER has it."""
DIFFERS = 1.0
"""Log-odds by which the file may differ from what was trained: rounding moves them, by a tenth or two."""


def read_order(path: Path | None) -> VerifierSpec:
    """Raises `SettingsError`."""
    try:
        return read_verifier_spec(path)
    except SpecError as error:
        raise SettingsError(str(error)) from error


def run(settings: Settings, asked: Asked[VerifierSpec]) -> None:
    """As `bot.cli.model_jobs.carried_out`."""
    job, judged, place = carried_out(
        settings, asked, work=partial(_run, settings), put=partial(_publish, settings)
    )
    tell(job, judged, place)
    if place is not None:
        spec = read_verifier_spec(job.folder / "spec.json")
        model = NAME if spec.base == EMBEDDED else spec.base
        click.echo(f"KEFU_VERIFIER={model} KEFU_VERIFIER_ADAPTER={place / ADAPTER} lets it read.")


def _run(settings: Settings, job: Job) -> Judged:
    spec = read_verifier_spec(job.folder / "spec.json")
    with shown(Console(stderr=True)) as progress:
        if not (job.data / ABOUT).is_file():
            _make_examples(settings, job, spec, progress)
        base = _base(settings, spec)
        words = ["--spec", job.folder / "spec.json", "--data", job.data, "--out", job.out, "--base", base]
        words += ["--threads", str(settings.encoder_threads)]
        if spec.base == EMBEDDED and QWEN.adapter:
            words += ["--start", QWEN.adapter]
        until_stopped(run_training("verifier", list(map(str, words)), progress=progress, hint=HINT))
        return _judge(settings, job, base, progress)


def _base(settings: Settings, spec: VerifierSpec) -> Path:
    """Now, and not after the hours of training: the file will be asked. Raises SettingsError."""
    if spec.base == EMBEDDED:
        return weights(settings.cache, QWEN)
    path = Path(spec.base).expanduser()
    if path.suffix != ".gguf":
        raise SettingsError(
            f"{spec.base} is no GGUF file.", hint="A verifier is served from one: name it as `base`."
        )
    find_model(str(path), cache=settings.cache, setting="`base`")
    if not has_chat_template(path):
        hint = "A verifier is asked by messages: name a model that was taught to answer."
        raise SettingsError(f"{path.name} has no chat template.", hint=hint)
    return path


def _make_examples(settings: Settings, job: Job, spec: VerifierSpec, progress: Progress) -> None:
    progress("Reading the bot", 0, 0)
    definition = load_definition(settings.bot, memory=settings.documents)
    known = {(row.entry.key, row.entry.lang) for row in definition.knowledge}
    contrasts = require_contrasts(definition.folder, definition.languages, known)
    _base(settings, spec)
    plain = settings.model_copy(update={"verifier": None})  # nothing of what is said is needed here

    async def made() -> None:
        async with rehearsing(definition, plain, release=None, progress=progress) as bot:
            found, origin = await gather(bot, contrasts, spec, progress=progress)
        if not found["train"] or not found["test"]:
            hint = "Write messages for more answers: of ten topics one is held out."
            raise InferenceError("The bot has contrast sets of too few topics.", hint=hint)
        await asyncio.to_thread(write_groups, job.data, found, origin)

    until_stopped(made())


def _judge(settings: Settings, job: Job, base: Path, progress: Progress) -> Judged:
    rows = json.loads((job.out / ODDS).read_text(encoding="utf-8"))
    groups = read_groups(job.data).splits["test"]
    ask = partial(differing, base, job.out / ADAPTER, groups, rows, cache=settings.cache, progress=progress)
    difference = until_stopped(ask())
    if difference > DIFFERS:
        raise InferenceError(
            "The file that was written does not think what the trained model thinks (log-odds differ by "
            f"{difference:.2f}).",
            hint=f"Nothing was put to use; {job.out} has both.",
        )
    taught = result_of(job)["hashes"]["start"] != NOTHING
    return Judged(evaluation(rows, "base", taught=taught), evaluation(rows, "tuned"), difference)


def _publish(settings: Settings, job: Job, judged: Judged) -> Path | None:
    """None where it is worse."""
    files = [job.out / ADAPTER, job.out / RESULT, job.data / CARD]
    return put_to_use(settings.home / "verifiers" / job.name, job, judged, files)
