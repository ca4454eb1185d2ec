"""The job that makes a release's heads: files in, files out.

In (`work`): examples.jsonl ({"text", "label", "lang"}), entries.json (a list of `retrieval.types.Entry`),
texts.json (a list), vectors.npy (float32 [texts, dim], the row of each text); where the encoder was trained,
trained.json (`training.trained`); where a promise is to be kept, asked.json ({"promise", "slips"}). Out:
heads.safetensors, heads.json, card.json, answerable.json (`training.answerable`) and promise.json (`training.promise`).
Progress goes to `report`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from retrieval.types import Entry
from training.answerable import write_answerable
from training.apply import Heads, IntentHead, save_heads
from training.bounds import curves_of, learn_bounds
from training.calibrate import FOLDS as CALIBRATION_FOLDS
from training.calibrate import (
    Judged,
    Material,
    fit_calibrator,
    judge,
    summary,
    topic_head,
    training_rows,
)
from training.fit import FOLDS, fit_scaled, no_head
from training.fit_answerable import fit_answerable, shares_answered
from training.fit_words import counted
from training.lesson import ASKED, CARD, CURVES
from training.progress import Report
from training.promise import Promise, write_promised
from training.trained import read_trained

ENTRIES = TypeAdapter(list[Entry])


def make_heads(work: Path, out: Path, *, name: str, report: Report, threads: int = 0) -> dict[str, Any]:
    """Fit, scale, calibrate, save; returns the card. `threads`: folds at once; 0 for one a core."""
    material = read_material(work)
    head, accuracy = _scaled_head(material, report, threads)
    judged: list[Judged] = []
    if material.entries:
        for part in judge(material, like=head, threads=threads):
            judged.append(part)
            report("heads", FOLDS + len(judged), FOLDS + CALIBRATION_FOLDS, "calibrating answers")
    calibrator = fit_calibrator(judged)
    save_heads(out, Heads(name, head, topic_head(material, material.entries), calibrator))
    answerable, told = fit_answerable(judged, calibrator, threads=threads)
    figures = summary(told) if calibrator else {}
    if answerable is not None:
        write_answerable(out, answerable)
        figures |= shares_answered(told, answerable)
    if (promise := read_promise(work)) is not None:
        write_promised(out, learn_bounds(told, _languages(material), promise))
    card = {
        "name": name,
        "examples": len(material.examples),
        "entries": len(material.entries),
        "intents": len(head.labels),
        "temperature": head.temperature,
        "share_of_words": head.share,
        "judged_by": _judged_by(material),
        "held_out": {"intent_accuracy": accuracy, **figures},
        CURVES: curves_of(told, _languages(material)) if calibrator else {},
    }
    (out / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False), encoding="utf-8")
    return card


def read_material(work: Path) -> Material:
    texts = json.loads((work / "texts.json").read_text(encoding="utf-8"))
    matrix = np.load(work / "vectors.npy", allow_pickle=False)
    examples = [(r["text"], r["label"], r["lang"]) for r in _lines(work / "examples.jsonl")]
    entries = ENTRIES.validate_json((work / "entries.json").read_bytes())
    vectors = dict(zip(texts, matrix, strict=True))
    known = counted([text for text, _ in training_rows(examples, entries)])
    return Material(examples, entries, vectors, read_trained(work), _asked(work).get("slips", {}), known)


def read_promise(work: Path) -> Promise | None:
    told = _asked(work).get("promise")
    return None if told is None else Promise(**told)


def _asked(work: Path) -> dict[str, Any]:
    path = work / ASKED
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def _languages(material: Material) -> set[str]:
    return {lang for _, _, lang in material.examples} | {entry.lang for entry in material.entries}


def _judged_by(material: Material) -> str:
    """For people who read the figures."""
    if not material.trained:
        return "texts that were held out"
    if material.unseen is not None:
        return "texts that were held out, of those that the encoder was not trained on"
    return "texts that were held out; the encoder was trained on nearly all, so it does better on them than on others"


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)


def _scaled_head(material: Material, report: Report, threads: int) -> tuple[IntentHead, float]:
    """The head on everything, weighed and scaled on held-out folds, and its accuracy there."""
    rows = training_rows(material.examples, material.entries)
    if not rows:
        return no_head(len(next(iter(material.vectors.values()), np.zeros(1)))), 0.0
    texts, labels = [text for text, _ in rows], [label for _, label in rows]
    unseen = material.unseen
    return fit_scaled(
        np.stack([material.vectors[text] for text in texts]),
        labels,
        texts,
        unseen=None if unseen is None else np.array([text in unseen for text in texts], dtype=np.bool_),
        known=material.known,
        threads=threads,
        done=lambda n: report("heads", n, FOLDS + CALIBRATION_FOLDS, "fitting intents"),
    )
