"""The job: from a spec and a data set to an encoder, heads and an evaluation, in stages that may be stopped anywhere.

In O: `spec.json`, `job.json` (what it was begun with), `checkpoints/`, `logs/` (TensorBoard), `encoder/` (where the
method tunes one), `heads/`, `evaluation.json`, `result.json`. The same command goes on where it was stopped.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from retrieval.errors import EncoderError
from retrieval.model_folder import read_manifest
from retrieval.onnx_encoder import fingerprint
from retrieval.publish import publish, publish_files
from training.apply import save_head
from training.dataset import Dataset, read_dataset
from training.encoder import build_encoder
from training.evaluation import EVALUATION, Evaluation, write_evaluation
from training.job.augmented import augmented
from training.job.beat import Beat
from training.job.checkpoints import saving
from training.job.frozen import frozen
from training.job.log import Log
from training.job.material import Material, read_material
from training.job.measure import measured
from training.job.outcome import Outcome
from training.job.place import JobError, Place, begin, taken
from training.job.result import result_of
from training.job.run import Run
from training.job.stop import Stop, Stopped
from training.progress import Report
from training.spec import Spec, SpecError, read_spec
from training.tuning.recipes import recipe_for


@dataclass(frozen=True, slots=True)
class Asked:
    """Paths of a job. `threads`: of a CPU, 0 for all cores."""

    spec: Path
    data: Path
    out: Path
    cache: Path
    threads: int = 0


Work = Callable[[Asked, Place, Stop, Report], None]
"""What a job does in its place, until it is stopped."""


def run_job(asked: Asked, *, report: Report, work: Work | None = None) -> int:
    """The exit code: 0, or 128 and the signal that stopped it. Raises `TrainingError`; the last line says the rest.

    `work`: None trains an encoder or heads.
    """
    stop = Stop()
    try:
        with stop.watched(), _in_words(asked), taken(asked.out) as place, Beat(report) as say:
            (work or _work)(asked, place, stop, say)
        report("done", 1, 1, "done")
    except Stopped as stopped:
        report("stopped", 0, 0, f"Stopped. The same command goes on from the last checkpoint in {asked.out}")
        return stopped.code
    return 0


def _work(asked: Asked, place: Place, stop: Stop, say: Report) -> None:
    say("starting", 0, 0, "starting")
    spec, data = read_spec(asked.spec), read_dataset(asked.data)
    begin(place, spec, {"data": data.hash})
    if place.result.is_file():
        return
    _check(spec)
    material = read_material(spec, data)
    base = build_encoder(asked.cache, spec.encoder, report=_preparing(say))
    begin(place, spec, {"data": data.hash, "encoder": fingerprint(read_manifest(base))})
    begun = time.perf_counter()
    run = Run(spec, place, base, asked.threads, say, stop)
    material = augmented(run, material)
    outcome = _method(run, material)
    say("judging", 0, 0, "judging")
    evaluation = measured(material, outcome.heads, outcome.served)
    told = {**outcome.told, "notes": material.notes, "seconds": time.perf_counter() - begun}
    _write(run, data, replace(outcome, told=told), evaluation)


def _check(spec: Spec) -> None:
    """Before anything heavy. Raises `TrainingError`."""
    if spec.method != "head":
        recipe_for(spec.method, spec.overrides)
    elif spec.recipe or spec.search or spec.int8 != "off":
        raise SpecError("The method head tunes no encoder: it takes no recipe, search or int8")


def _method(run: Run, material: Material) -> Outcome:
    if run.spec.method == "head":
        return frozen(run, material)
    from training.job.tuned import tuned  # torch takes seconds to load

    return tuned(run, material)


def _preparing(say: Report) -> Report:
    """One stage of the job, whatever it is made of."""

    def report(stage: str, done: int, total: int, text: str) -> None:
        if stage != "ready":
            say("encoder", done, total, f"Preparing the encoder: {text}")

    return report


def _write(run: Run, data: Dataset, outcome: Outcome, evaluation: Evaluation) -> None:
    place = run.place
    with publish(place.heads) as heads:
        for task, fitted in outcome.heads.items():
            save_head(heads, task, fitted.head)
    write_evaluation(place.folder / EVALUATION, evaluation)
    with Log(place.logs) as log:
        log.scalars(0, {name: metric.value for name, metric in evaluation.metrics.items()})
    told = result_of(run, data, evaluation)
    text = json.dumps({**told, **outcome.told}, ensure_ascii=False, indent=1)
    publish_files({place.result: text + "\n"})
    for path in ("checkpoints", "tuned", "work"):
        shutil.rmtree(place.folder / path, ignore_errors=True)


@contextmanager
def _in_words(asked: Asked) -> Iterator[None]:
    """What a full or locked disk says, in one line."""
    try:
        with saving():
            yield
    except EncoderError as error:
        raise JobError(str(error)) from error
    except OSError as error:
        raise JobError(
            f"{asked.out} cannot be written: {error.strerror or error}. Make room; the same command then goes on "
            "from the last checkpoint"
        ) from error
