"""The job that makes a release's heads: files in, files out.

In (`work`): examples.jsonl ({"text", "label", "lang"}), entries.json (a list of `retrieval.types.Entry`),
texts.json (a list) and vectors.npy (float32 [texts, dim], the row of each text). Out: heads.safetensors, heads.json and
card.json. Progress goes to `report`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from retrieval.types import Entry
from training.apply import Heads, IntentHead, save_heads
from training.calibrate import FOLDS as CALIBRATION_FOLDS
from training.calibrate import Judged, Material, fit_calibrator, judge, summary, topic_head, training_rows
from training.fit import FOLDS, fit_head, fit_temperature, folds, no_head
from training.progress import Report

ENTRIES = TypeAdapter(list[Entry])


def make_heads(work: Path, out: Path, *, name: str, report: Report) -> dict[str, Any]:
    """Fit, scale, calibrate, save; returns the card."""
    material = read_material(work)
    head, accuracy = _scaled_head(material, report)
    judged: list[Judged] = []
    if material.entries:
        for part in judge(material, temperature=head.temperature):
            judged.append(part)
            report("heads", FOLDS + len(judged), FOLDS + CALIBRATION_FOLDS, "calibrating answers")
    calibrator = fit_calibrator(judged)
    figures = summary(judged, calibrator) if calibrator else {}
    save_heads(out, Heads(name, head, topic_head(material, material.entries), calibrator))
    card = {
        "name": name,
        "examples": len(material.examples),
        "entries": len(material.entries),
        "intents": len(head.labels),
        "temperature": head.temperature,
        "held_out": {"intent_accuracy": accuracy, **figures},
    }
    (out / "card.json").write_text(json.dumps(card, indent=1, ensure_ascii=False), encoding="utf-8")
    return card


def read_material(work: Path) -> Material:
    texts = json.loads((work / "texts.json").read_text(encoding="utf-8"))
    matrix = np.load(work / "vectors.npy", allow_pickle=False)
    examples = [(r["text"], r["label"], r["lang"]) for r in _lines(work / "examples.jsonl")]
    entries = ENTRIES.validate_json((work / "entries.json").read_bytes())
    return Material(examples, entries, dict(zip(texts, matrix, strict=True)))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)


def _scaled_head(material: Material, report: Report) -> tuple[IntentHead, float]:
    """The head on everything, with the temperature and accuracy of held-out folds."""
    rows = training_rows(material.examples, material.entries)
    labels = [label for _, label in rows]
    if len(set(labels)) < 2:
        return no_head(len(next(iter(material.vectors.values()), np.zeros(1)))), 0.0
    vectors = np.stack([material.vectors[text] for text, _ in rows])
    logs, truth = [], []
    for number, (train, held) in enumerate(folds(labels)):
        head = fit_head(vectors[train], [labels[i] for i in train])
        place = {label: i for i, label in enumerate(head.labels)}
        held = np.array([i for i in held if labels[i] in place], dtype=np.intp)
        logs.append(np.log(head.probabilities(vectors[held]) + 1e-12))
        truth.append(np.array([place[labels[i]] for i in held], dtype=np.intp))
        report("heads", number + 1, FOLDS + CALIBRATION_FOLDS, "fitting intents")
    same_width = len({part.shape[1] for part in logs}) == 1
    temperature = fit_temperature(np.concatenate(logs), np.concatenate(truth)) if same_width else 1.0
    hits = sum(int((part.argmax(axis=1) == t).sum()) for part, t in zip(logs, truth, strict=True))
    return replace(fit_head(vectors, labels), temperature=temperature), hits / sum(map(len, truth))
