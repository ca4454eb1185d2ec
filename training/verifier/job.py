"""The job that tunes a verifier: from a spec and messages to an adapter that llama.cpp loads beside its base.

In O: `spec.json`, `job.json`, `checkpoints/`, `logs/` (TensorBoard), `adapter.gguf`, `judged.json` (what base and tuned
model think of messages for answers that were held out; the base with what it goes on from, if anything), `result.json`.
The same command goes on where it was stopped.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.model_folder import EMBEDDED, sha256_file
from retrieval.publish import publish, publish_files
from training.job.job import Asked, run_job
from training.job.place import JobError, Place, begin
from training.job.stop import Stop
from training.language.job import ModelAsked, ModelRun, array, known_by, source_of
from training.progress import Report
from training.verifier.examples import Group, Groups, Told, read_groups
from training.verifier.spec import NOTHING, VerifierSpec, read_verifier_spec

ADAPTER, JUDGED = "adapter.gguf", "judged.json"
_Run = ModelRun[VerifierSpec]


@dataclass(frozen=True, slots=True)
class VerifierAsked(ModelAsked):
    """`start`: the adapter that `embedded` means; None: none comes with this base."""

    start: Path | None = None


def run_verifier(asked: VerifierAsked, *, report: Report) -> int:
    """As `training.job.job.run_job`."""

    def work(_: Asked, place: Place, stop: Stop, say: Report) -> None:
        say("starting", 0, 0, "starting")
        spec, groups = read_verifier_spec(asked.spec), read_groups(asked.data)
        source = source_of(spec, asked.base)
        if not source.endswith(".gguf"):
            raise JobError(
                f"{source} is not a GGUF file, which is what a verifier is served from: name one as `base`"
            )
        begun = _From(source, _start(spec, asked))
        begin(place, spec, {"data": groups.hash, **begun.hashes})
        if not place.result.is_file():
            _tune(ModelRun(spec, place, say, stop), groups, begun, asked.threads)

    return run_job(asked, report=report, work=work)


@dataclass(frozen=True, slots=True)
class _From:
    """What the tuning begins with: the base, and what that has learned before."""

    base: str
    start: Path | None

    @property
    def hashes(self) -> dict[str, str]:
        return {"base": known_by(self.base), "start": known_by(str(self.start)) if self.start else NOTHING}


def _start(spec: VerifierSpec, asked: VerifierAsked) -> Path | None:
    if spec.start in (NOTHING, EMBEDDED):
        return asked.start if spec.start == EMBEDDED else None
    path = Path(spec.start).expanduser()
    if not path.is_file():
        raise JobError(f"{path} is not a file: name an adapter as `start`, or `{NOTHING}`")
    return path


def _tune(run: _Run, groups: Groups, begun: _From, threads: int) -> None:
    """torch and transformers take seconds to load: only here."""
    import torch

    from training.job.drive import drive
    from training.language.base import asked, load_base, quiet
    from training.language.gguf_file import GgufFile
    from training.tuning.devices import Devices
    from training.verifier.tuner import Lesson, VerifierTuner

    clock, spec, place = time.perf_counter(), run.spec, run.place
    quiet()
    run.say("base", 0, 0, "Reading the base")
    half = Devices(spec.precision).precision == "bf16"
    base = load_base(begun.base, dtype=torch.bfloat16 if half else torch.float32)
    file = GgufFile(Path(begun.base).expanduser())

    def lesson(told: Sequence[Told]) -> Lesson:
        return Lesson(
            tuple(asked(one.prompt, base.tokenizer) for one in told), tuple(one.yes for one in told)
        )

    run.say("base", 0, 0, "Reading messages")
    train = [
        [lesson(group.of_epoch(n)) for n in range(max(1, len(group.drawn)))]
        for group in groups.splits["train"]
    ]
    tuner = VerifierTuner(base, train, spec, threads=threads)
    places = file.places((name, array(one)) for name, one in tuner.plain())
    if begun.start:
        alpha, matrices = file.read_adapter(begun.start, places)
        tuner.begin_with(matrices, alpha)

    def judged(name: str, *, adapted: bool) -> list[list[float]]:
        def odds(group: Group) -> list[float]:
            told = [one.prompt if adapted else one.plain or one.prompt for one in group.contrasts]
            return tuner.odds([asked(chat, base.tokenizer) for chat in told], adapted=adapted)

        return _judged(run, groups.splits["test"], odds, name)

    taught = begun.start is not None
    before = _kept(place.folder / "base.json", lambda: judged("the base", adapted=taught))
    driven = drive(run, lambda stage: tuner, stage="training")
    after = judged("what was tuned", adapted=True)
    run.say("exporting", 0, 0, "Writing what was tuned")
    with publish(place.work) as folder:
        pairs = ((name, array(a), array(b)) for name, a, b in tuner.matrices())
        file.write_adapter(folder / ADAPTER, places, pairs, alpha=spec.alpha)
        (folder / ADAPTER).replace(place.folder / ADAPTER)
    _write(run, _rows(groups.splits["test"], before, after), {
        "too_long": tuner.too_long,
        "groups": {split: len(found) for split, found in groups.splits.items()},
        "epochs": driven.epochs,
        "tuner": tuner.about(),
        "fit_seconds": driven.seconds,
        "seconds": time.perf_counter() - clock,
        "hashes": {"data": groups.hash, "spec": spec.hash, **begun.hashes},
        "adapter": sha256_file(place.folder / ADAPTER),
    })  # fmt: skip


def _judged(
    run: _Run, groups: Sequence[Group], odds: Callable[[Group], list[float]], name: str
) -> list[list[float]]:
    found = []
    for number, group in enumerate(groups):
        run.say("judging", number, len(groups), f"asking {name}")
        run.stop.heed()
        found.append(odds(group))
    return found


def _kept(path: Path, make: Callable[[], list[list[float]]]) -> list[list[float]]:
    """What the base thinks; a run that goes on knows it already."""
    if not path.is_file():
        publish_files({path: json.dumps(make()) + "\n"})
    found: list[list[float]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _rows(
    groups: Sequence[Group], before: Sequence[list[float]], after: Sequence[list[float]]
) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{group.id}:{n}",
            "key": group.key,
            "lang": group.lang,
            "yes": told.yes,
            "base": old,
            "tuned": new,
        }
        for group, olds, news in zip(groups, before, after, strict=True)
        for n, (told, old, new) in enumerate(zip(group.contrasts, olds, news, strict=True))
    ]


def _write(run: _Run, judged: Sequence[dict[str, Any]], told: dict[str, Any]) -> None:
    place = run.place
    body = {name: json.dumps(one, ensure_ascii=False, indent=1) + "\n" for name, one in
            (("judged", judged), ("result", told))}  # fmt: skip
    publish_files({place.folder / JUDGED: body["judged"], place.result: body["result"]})
    for path in (place.folder / "checkpoints", place.work):
        shutil.rmtree(path, ignore_errors=True)
