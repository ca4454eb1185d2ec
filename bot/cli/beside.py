"""How good a candidate, what is live, and `base` are on the same texts and questions: what the gate compares."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

import click

from bot.app import encodings_of
from bot.cli import kept
from bot.cli.exam import examined
from bot.cli.stopping import until_stopped
from bot.cli.training_steps import Work, train
from bot.inference.encodings import Encoding, FolderEncoding, HomeEncodings, encoder_folder
from bot.inference.host import FORESEEN
from retrieval.model_folder import SERVED, read_manifest
from retrieval.onnx_encoder import fingerprint
from training.dataset import Dataset
from training.evaluation import EVALUATION, Evaluation, joined, read_evaluation
from training.outcome import learned
from training.release import BASE, ENCODER
from training.spec import Spec


def baselines(work: Work, data: Dataset) -> Mapping[str, Evaluation]:
    """How good what is live is on the same texts and questions, which the gate compares with; and `base`, which every
    release can be compared with for ever.
    """
    found = {}
    for name in dict.fromkeys([work.live, BASE]):
        try:
            found[name] = _baseline(work, data, name)
        except FORESEEN as error:
            click.echo(f"{name} could not be compared with: {error}", err=True)
    return found


def _baseline(work: Work, data: Dataset, name: str) -> Evaluation:
    encoding = until_stopped(_encodings(work).find(name, progress=work.progress))
    asked = [_examined(work, name, encoding)] if work.exam.questions else []
    return joined([_rows_judged(work, data, name, encoding), *asked])


def _rows_judged(work: Work, data: Dataset, name: str, encoding: Encoding) -> Evaluation:
    """Of the data set's test rows: what a head on that encoder makes of them."""
    folder = encoder_folder(work.releases, name)
    encoder = str(folder or _encodings(work).source)
    if work.spec.method == "head" and encoder == work.spec.encoder:
        return read_evaluation(work.job.out / EVALUATION)
    spec = Spec(method="head", seed=work.spec.seed, encoder=encoder, tasks=work.spec.tasks)
    told = spec.model_dump(mode="json", exclude={"encoder"})
    path = kept.place(work.settings.home, "rows", version("kefu"), told, encoding.fingerprint, data.hash)
    if (before := kept.find(path)) is not None:
        return before
    out = work.job.folder / "live" / name
    train(work, spec, out)
    return kept.keep(path, read_evaluation(out / EVALUATION))


def _encodings(work: Work) -> HomeEncodings:
    return encodings_of(work.settings, work.exam.definition)


def candidate_answers(work: Work, data: Dataset) -> list[Evaluation]:
    """Of the bot's own questions, and what its promise comes to; none where it has neither. Raises what FORESEEN
    names.
    """
    if not work.exam.questions and work.exam.definition.promise is None:
        return []
    return [_examined(work, "the candidate", _encoding(work, data))]


def _examined(work: Work, name: str, encoding: Encoding) -> Evaluation:
    """Of the bot's own questions, put to the whole bot."""
    return until_stopped(examined(work.exam, name, encoding, progress=work.progress))


def _encoding(work: Work, data: Dataset) -> Encoding:
    """What the candidate will answer with."""
    folder = work.job.out / ENCODER
    if not folder.is_dir():
        return until_stopped(_encodings(work).find(BASE, progress=work.progress))
    found = fingerprint(read_manifest(folder, verify=SERVED))
    settings = work.settings
    return FolderEncoding(
        folder, found, settings.encoder_threads, settings.cache, learned(work.job.out, data)
    )
