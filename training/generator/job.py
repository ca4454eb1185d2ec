"""The job that tunes a generator: from a spec and examples to an adapter and, of a GGUF base, a file that serves.

In O: `spec.json`, `job.json`, `checkpoints/`, `logs/` (TensorBoard), `adapter/` (peft, for servers that take adapters),
`model.gguf` (of a GGUF base), `said.json` (what base and tuned model say to some of the examples), `result.json`. The
same command goes on where it was stopped.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from retrieval.model_folder import sha256_file
from retrieval.publish import publish, publish_files
from training.generator.examples import Example, Examples, read_examples
from training.generator.spec import GeneratorSpec, read_generator_spec
from training.job.job import Asked, run_job
from training.job.place import Place, begin
from training.job.stop import Stop
from training.language.examples import SPLITS
from training.language.job import ModelAsked, ModelRun, array, known_by, source_of
from training.progress import Report

ADAPTER, MODEL, SAID = "adapter", "model.gguf", "said.json"
COMPARED = 4
"""Held-out questions that the tuned model answers here too, so that the file can be compared with it."""
MOST = 96
"""Tokens of such an answer."""
_Run = ModelRun[GeneratorSpec]


def run_generator(asked: ModelAsked, *, report: Report) -> int:
    """As `training.job.job.run_job`."""

    def work(_: Asked, place: Place, stop: Stop, say: Report) -> None:
        say("starting", 0, 0, "starting")
        spec, examples = read_generator_spec(asked.spec), read_examples(asked.data)
        source = source_of(spec, asked.base)
        begin(place, spec, {"data": examples.hash, "base": known_by(source)})
        if not place.result.is_file():
            _tune(ModelRun(spec, place, say, stop), examples, source, asked.threads)

    return run_job(asked, report=report, work=work)


def _tune(run: _Run, examples: Examples, source: str, threads: int) -> None:
    """torch and transformers take seconds to load: only here."""
    import torch

    from training.generator.tokens import taught
    from training.generator.tuner import VALID, GeneratorTuner
    from training.job.drive import drive
    from training.language.base import asked, load_base, quiet
    from training.language.gguf_file import GgufFile

    begun, spec = time.perf_counter(), run.spec
    quiet()
    run.say("base", 0, 0, "Reading the base")
    half = torch.cuda.is_available() and spec.precision != "float32"
    base = load_base(source, dtype=torch.bfloat16 if half else torch.float32)
    rows = {
        split: taught(examples.splits[split], base.tokenizer, max_length=spec.max_length) for split in SPLITS
    }
    fit = {split: [one for one in found if one is not None] for split, found in rows.items()}
    tuner = GeneratorTuner(base, fit["train"], fit["valid"], spec, threads=threads)
    file = GgufFile(base.gguf) if base.gguf else None
    places = file.places((name, array(one)) for name, one in tuner.plain()) if file else {}
    run.say("judging", 0, 0, "Reading validation answers with the base")
    before = _before(run, tuner)
    driven = drive(run, lambda stage: tuner, stage="training", evaluate=GeneratorTuner.judged)
    run.say("exporting", 0, 0, "Writing what was tuned")
    with publish(run.place.folder / ADAPTER) as folder:
        driven.tuner.save(folder)
        _said_of(folder, spec)
    if file:
        with publish(run.place.folder / "work") as folder:
            file.write(folder / MODEL, places, ((name, array(one)) for name, one in tuner.merged()))
            (folder / MODEL).replace(run.place.folder / MODEL)
    wanted = examples.splits["test"][: COMPARED if file else None]
    said = [_say(run, tuner, asked(one.prompt, base.tokenizer), one, base_too=not file) for one in wanted]
    _write(run, said, {
        "examples": {split: len(found) for split, found in fit.items()},
        "too_long": {split: len(rows[split]) - len(fit[split]) for split in SPLITS},
        "valid_loss": {"base": before, "tuned": driven.tuner.judged().get(VALID)},
        "epochs": driven.epochs,
        "tuner": tuner.about(),
        "fit_seconds": driven.seconds,
        "seconds": time.perf_counter() - begun,
        "hashes": {"data": examples.hash, "spec": spec.hash, "base": known_by(source)},
        "model": sha256_file(run.place.folder / MODEL) if file else None,
    })  # fmt: skip


def _before(run: _Run, tuner: Any) -> float | None:
    """What validation answers cost the base; a run that goes on knows it already."""
    path = run.place.folder / "base.json"
    if not path.is_file():
        publish_files({path: json.dumps(tuner.judged()) + "\n"})
    found: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    return next(iter(found.values()), None)


def _say(run: _Run, tuner: Any, asked: Sequence[int], example: Example, *, base_too: bool) -> dict[str, Any]:
    run.say("judging", 0, 0, "Answering held-out questions")
    run.stop.heed()
    plain = tuner.say(asked, most=MOST, adapted=False) if base_too else None
    return {"id": example.id, "tuned": tuner.say(asked, most=MOST), "base": plain}


def _said_of(folder: Path, spec: GeneratorSpec) -> None:
    """No path of this machine goes out with an adapter; peft's page of examples says nothing true of it."""
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / "adapter_config.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    local = Path(spec.base).expanduser().exists()
    told["base_model_name_or_path"] = Path(spec.base).name if local else spec.base
    path.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _write(run: _Run, said: Sequence[dict[str, Any]], told: dict[str, Any]) -> None:
    place = run.place
    body = {name: json.dumps(one, ensure_ascii=False, indent=1) + "\n" for name, one in
            (("said", said), ("result", told))}  # fmt: skip
    publish_files({place.folder / SAID: body["said"], place.result: body["result"]})
    for path in ("checkpoints", "work"):
        shutil.rmtree(place.folder / path, ignore_errors=True)
