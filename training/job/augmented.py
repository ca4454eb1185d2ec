"""The training rows of a job with their changed copies: made after what it is judged by was held out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from retrieval.publish import publish_files
from training.augment import BackTranslation, copies, fit_to_learn, translated
from training.dataset import Row
from training.job.material import Material, held_out
from training.job.run import Run
from training.spec import Augment

TRANSLATIONS = "translations.json"
"""What a generator said, by text: a job that goes on asks it nothing twice."""
PART = 64
"""Texts translated before a stop is heeded."""


def augmented(run: Run, material: Material) -> Material:
    """As it is where the spec asks for no copies. Raises TrainingError where the generator cannot be used."""
    wanted = run.spec.augment
    if wanted is None:
        return material
    parts, notes = dict(material.parts), list(material.notes)
    for task, whole in material.labelled.items():
        run.say("augmenting", 0, 0, f"changing texts of {task}")
        part = held_out(whole, task, seed=run.spec.seed)
        more, told = _copies(run, part.train, wanted)
        new = fit_to_learn(more, [*part.valid, *part.test])
        parts[task] = replace(part, train=[*part.train, *new])
        counts = ", ".join(f"{count} {change}" for change, count in told.items())
        notes.append(f"{task}: changed copies of training rows learned too: {len(new)} ({counts}).")
    return replace(material, parts=parts, notes=tuple(notes))


def _copies(run: Run, rows: Sequence[Row], wanted: Augment) -> tuple[list[Row], dict[str, int]]:
    found, told = copies(rows, wanted.changes, each=wanted.copies, seed=run.spec.seed)
    if wanted.back_translation is not None:
        by = BackTranslation(wanted.back_translation.url, wanted.back_translation.model)
        more, counts = translated(rows, _Kept(run, by))
        found, told = [*found, *more], told | counts
    return found, told


class _Kept:
    """A generator whose answers are kept beside the job."""

    def __init__(self, run: Run, by: BackTranslation) -> None:
        self._run, self._by = run, by
        self._path: Path = run.place.folder / TRANSLATIONS
        self._known: dict[str, str | None] = {}
        if self._path.is_file():
            self._known = json.loads(self._path.read_text(encoding="utf-8"))

    def __call__(self, texts: Sequence[str]) -> list[str | None]:
        missing = list(dict.fromkeys(text for text in texts if text not in self._known))
        for start in range(0, len(missing), PART):
            self._run.stop.heed()
            self._run.say("augmenting", start, len(missing), "translating there and back")
            part = missing[start : start + PART]
            self._known.update(zip(part, self._by(part), strict=True))
            publish_files({self._path: json.dumps(self._known, ensure_ascii=False)})
        return [self._known[text] for text in texts]
