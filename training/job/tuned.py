"""Methods that tune the encoder: searched for, trained, written for serving, with the heads that go with it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from retrieval.errors import EncoderError
from retrieval.model_folder import GRAPH, TOKENIZER, read_manifest, sha256_file
from retrieval.onnx_encoder import OnnxEncoder
from retrieval.publish import publish
from training.apply import load_head, save_head
from training.encoder import complete
from training.errors import ReleaseError
from training.job.drive import Driven, drive
from training.job.heads import Fitted, Heads, fit_again, fit_tuned, texts_of
from training.job.lesson import VALID, evaluation, make, read, recipe_of
from training.job.material import RETRIEVAL, Material, held_out
from training.job.measure import Served
from training.job.outcome import Outcome
from training.job.quantise import eight_bits
from training.job.run import Run
from training.job.search import searched
from training.job.vectors import Vectors
from training.sealed import check_seal, sealed
from training.tuning.recipes import Recipe
from training.tuning.tuner import Tuner

_TOLD = "tuned.json"


def tuned(run: Run, material: Material) -> Outcome:
    parts = {task: held_out(part, task, seed=run.spec.seed) for task, part in material.parts.items()}
    material = replace(material, parts=parts)
    recipe, search = searched(run, material) if run.spec.search else (recipe_of(run), None)
    heads, told = _trained(run, material, recipe)
    valid = {task: (heads[task].head, part.valid) for task, part in material.labelled.items()}
    int8 = eight_bits(run, valid)
    encoder = OnnxEncoder.open(run.place.encoder, threads=run.threads)
    splits = ("train", "valid", "test") if RETRIEVAL in parts else ("test",)
    vectors = Vectors(run, encoder, texts_of(material, *splits), stage="judging")
    served = Served(encoder, vectors, [run.place.encoder / name for name in (GRAPH, TOKENIZER)])
    return Outcome(heads, served, {**told, "search": search, "int8": int8})


def _trained(run: Run, material: Material, recipe: Recipe) -> tuple[Heads, dict[str, Any]]:
    """Heads, and what the result tells of the training. The encoder lies in its place afterwards."""
    folder = run.place.folder / "tuned"
    if (before := _read(folder, material)) is not None:
        return before
    judge = evaluation(run, material)
    first = drive(run, partial(make, run, material, recipe), stage="training", evaluate=judge)
    heads = {
        task: fit_tuned(first.tuner.head(task), part, partial(read, first.tuner), foreign=material.foreign)
        for task, part in material.labelled.items()
    }
    seconds, best = first.seconds, first.best(VALID) if judge else recipe.epochs
    told: dict[str, Any] = {
        "recipe": asdict(recipe),
        "epochs": first.epochs,
        "best_epoch": best,
        "tuner": first.tuner.about(),
        "validation_rows": {task: len(part.valid) for task, part in material.parts.items()},
    }
    tuner = first.tuner
    del first
    if run.spec.refit and judge:
        del tuner  # two of them need twice the memory
        last = _refitted(run, material, replace(recipe, epochs=best))
        seconds += last.seconds
        heads = {
            task: fit_again(heads[task], last.tuner.head(task), part, foreign=material.foreign)
            for task, part in material.labelled.items()
        }
        tuner = last.tuner
    _write_encoder(run, tuner)
    told["fit_seconds"] = seconds
    _keep(folder, heads, told)
    return heads, told


def _refitted(run: Run, material: Material, recipe: Recipe) -> Driven[Tuner]:
    parts = {task: replace(part, train=part.everything, valid=()) for task, part in material.parts.items()}
    everything = replace(material, parts=parts)
    return drive(run, partial(make, run, everything, recipe), stage="refit")


def _write_encoder(run: Run, tuner: Tuner) -> None:
    folder = run.place.encoder
    try:
        read_manifest(folder, verify=True)
        return
    except EncoderError:
        pass

    def say(_: str, done: int, total: int, text: str) -> None:
        run.say("exporting", done, total, f"exporting: {text}")

    say("", 0, 0, "Writing the encoder")
    with publish(folder) as work:
        tuner.save(work)
        name = f"{run.spec.method}-{sha256_file(work / 'model.safetensors')[:10]}"
        complete(work, name=name, like=run.base, report=say)


def _keep(folder: Path, heads: Heads, told: dict[str, Any]) -> None:
    held = {task: dict(fitted.held_out) for task, fitted in heads.items()}
    with sealed(folder) as place:
        for task, fitted in heads.items():
            save_head(place, task, fitted.head)
        body = {"held_out": held, "told": told}
        (place / _TOLD).write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")


def _read(folder: Path, material: Material) -> tuple[Heads, dict[str, Any]] | None:
    """What an earlier start had come to; None where it has not, or a byte of it has changed since."""
    try:
        check_seal(folder)
        body = json.loads((folder / _TOLD).read_text(encoding="utf-8"))
        heads = {task: Fitted(load_head(folder, task), body["held_out"][task]) for task in material.labelled}
        return heads, body["told"]
    except (OSError, ReleaseError, ValueError, KeyError):
        return None
