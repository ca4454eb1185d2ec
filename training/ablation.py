"""What learning from changed copies does to which score: measured on texts that were held out, before it is believed.

In (`work`): plan.json ({"changes": [...], "most": n, "foreign": label, "back_translation": {"url", "model", "key"} or
null}) and examples.jsonl ({"text", "label", "lang"}). Out: ablation.json.

Folds of the examples; in each a head is fitted on the others as they are, then with their copies by one change, then
with all. Each is judged on the held-out texts as they are and after each change, struck by another seed. The encoder
stays as it is. A whole row of the table is of the same texts, so two of its rows are compared text by text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.embed import Encoder
from retrieval.errors import EncoderError
from retrieval.onnx_encoder import OnnxEncoder
from retrieval.text import as_read
from training.apply import Floats
from training.augment import TRANSLATED, BackTranslation, copies, translated
from training.bootstrap import mean_of
from training.dataset import Row
from training.errors import SourceError, TrainingError
from training.fit import FOLDS, fit_head, folds
from training.measures import languages
from training.noise import changed
from training.progress import Report

OUT = "ablation.json"
PLAN, EXAMPLES = "plan.json", "examples.jsonl"
CLEAN, NONE, ALL = "clean", "none", "all"
TRAIN_SEED, TEST_SEED = 1, 0
"""Slips that were learned are not the slips that are met."""
PART = 128
Bools = NDArray[np.bool_]


def ablate(encoder: Path, work: Path, *, report: Report) -> dict[str, Any]:
    """`encoder`: a folder as `training.encoder` makes. Raises TrainingError."""
    plan = json.loads((work / PLAN).read_text(encoding="utf-8"))
    rows = sample(_rows(work / EXAMPLES), most=plan["most"])
    if len({row.label for row in rows}) < 2:
        raise TrainingError(
            "There are too few examples: at least two intents with three texts each are needed"
        )
    changes: list[str] = plan["changes"]
    table = _Table(rows, changes, _back(plan["back_translation"]), report)
    table.encode(encoder)
    found = {
        "examples": len(rows),
        "labels": len({row.label for row in rows}),
        "folds": FOLDS,
        "columns": [CLEAN, *changes],
        "rows": table.measured(),
    }
    (work / OUT).write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    return found


def sample(rows: Sequence[Row], *, most: int) -> list[Row]:
    """At most so many of labels with a text for each fold: label by label the first, then the second, and so on."""
    of: dict[str, list[Row]] = {}
    for row in rows:
        of.setdefault(row.label, []).append(row)
    places = {id(row): place for some in of.values() for place, row in enumerate(_mixed(some))}
    fit = [row for some in of.values() if len(some) >= FOLDS for row in some]
    chosen = {id(row) for row in sorted(fit, key=lambda row: places[id(row)])[:most]}
    return [row for row in fit if id(row) in chosen]


def _mixed(rows: Sequence[Row]) -> list[Row]:
    """Languages in turn."""
    of: dict[str | None, list[Row]] = {}
    for row in rows:
        of.setdefault(row.lang, []).append(row)
    turn = sorted((place, number) for number, some in enumerate(of.values()) for place in range(len(some)))
    parts = list(of.values())
    return [parts[number][place] for place, number in turn]


class _Table:
    def __init__(
        self, rows: Sequence[Row], changes: Sequence[str], back: BackTranslation | None, report: Report
    ) -> None:
        self._rows, self._changes, self._report = rows, changes, report
        self._langs = np.array(languages([row.text for row in rows], [row.lang for row in rows]))
        texts = [row.text for row in rows]
        self._asked = {CLEAN: texts} | {name: changed(name, texts, seed=TEST_SEED) for name in changes}
        self._learned: dict[str, list[list[Row]]] = {NONE: [[] for _ in rows]}
        for name in changes:
            self._learned[name] = [copies([row], [name], seed=TRAIN_SEED)[0] for row in rows]
        if back is not None:
            report("ablating", 0, 0, "translating there and back")
            said = back(texts)
            self._learned[TRANSLATED] = [
                translated([row], lambda _, one=one: [one])[0] for row, one in zip(rows, said, strict=True)
            ]
        if len(self._learned) > 2:
            every = [name for name in self._learned if name != NONE]
            self._learned[ALL] = [
                [row for name in every for row in self._learned[name][place]] for place in range(len(rows))
            ]
        self._vectors: dict[str, Floats] = {}

    def encode(self, folder: Path) -> None:
        """Every text once; those that read the same are one."""
        texts = {as_read(text) for asked in self._asked.values() for text in asked}
        texts |= {as_read(row.text) for some in self._learned.values() for own in some for row in own}
        order = sorted(texts, key=len)
        try:
            encoder: Encoder = OnnxEncoder.open(folder)
            for start in range(0, len(order), PART):
                part = order[start : start + PART]
                self._vectors.update(zip(part, encoder.encode(part), strict=True))
                self._report("ablating", start + len(part), len(order), "encoding")
        except EncoderError as error:
            raise SourceError(str(error)) from error

    def measured(self) -> list[dict[str, Any]]:
        right = {name: self._right(name, done) for done, name in enumerate(self._learned)}
        return [self._told(name, right[name], right[NONE]) for name in self._learned]

    def _right(self, name: str, done: int) -> dict[str, Bools]:
        """Of each way to ask, whether each text was named rightly while it was held out."""
        labels = [row.label for row in self._rows]
        found = {asked: np.zeros(len(labels), dtype=np.bool_) for asked in self._asked}
        for fold, (train, held) in enumerate(folds(labels)):
            self._report("ablating", done * FOLDS + fold, len(self._learned) * FOLDS, f"learning: {name}")
            rows = [self._rows[i] for i in train] + [row for i in train for row in self._learned[name][i]]
            texts = [row.text for row in rows]
            head = fit_head(self._matrix(texts), [row.label for row in rows], texts)
            names, truth = np.array(head.labels), np.array([labels[i] for i in held])
            for asked, all_texts in self._asked.items():
                some = [all_texts[i] for i in held]
                named = names[head.probabilities(self._matrix(some), some).argmax(axis=1)]
                found[asked][held] = named == truth
        return found

    def _matrix(self, texts: Sequence[str]) -> Floats:
        return np.stack([self._vectors[as_read(text)] for text in texts])

    def _told(self, name: str, right: Mapping[str, Bools], before: Mapping[str, Bools]) -> dict[str, Any]:
        """`gain`: what it adds to learning from no copies, of the same texts."""
        langs = sorted(set(self._langs.tolist()))
        return {
            "learned": name,
            "copies": sum(map(len, self._learned[name])),
            "accuracy": {asked: asdict(mean_of(one)) for asked, one in self._of_changed(right)},
            "gain": {
                asked: asdict(mean_of(one.astype(float) - dict(self._of_changed(before))[asked]))
                for asked, one in self._of_changed(right)
            },
            "languages": {lang: asdict(mean_of(right[CLEAN][self._langs == lang])) for lang in langs},
        }

    def _of_changed(self, right: Mapping[str, Bools]) -> list[tuple[str, Bools]]:
        """Of each change the texts that it does something to."""
        found = []
        for asked, one in right.items():
            pairs = zip(self._asked[asked], self._asked[CLEAN], strict=True)
            struck = np.array([asked == CLEAN or text != own for text, own in pairs], dtype=np.bool_)
            if struck.any():
                found.append((asked, one[struck]))
        return found


def _back(told: Mapping[str, Any] | None) -> BackTranslation | None:
    return None if told is None else BackTranslation(told["url"], told["model"], key=told.get("key"))


def _rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8") as stream:
        return [Row(**json.loads(line)) for line in stream]
