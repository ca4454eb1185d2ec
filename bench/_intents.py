"""Intents and scope: the product's head on the frozen encoder, fitted on the training split and judged on the test
split. Nothing here is chosen by a test split.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench import Options
from bench._scope import Scoped, figures, floor
from bench._sets import Row, rows
from bench._vectors import Kept
from training.apply import OUT_OF_SCOPE, IntentHead
from training.examples import Encode, Judged, Labelled, fit_examples, judge

SEEDS = (0, 1, 2)
SHOTS = 10
FOLDS = 10


PARTS = {"hwu64": ("dialoglue_train", "dialoglue_test")}
"""Training and test split, where they are not called so."""


class Intents:
    """Heads over one encoder; vectors are made once for each data set."""

    def __init__(self, vectors: Kept, options: Options) -> None:
        self._kept, self._options = vectors, options

    def full(self, key: str, folder: str) -> dict[str, float]:
        """One split, which no seed changes; test rows that also stand in training are left out of `KEY_clean`."""
        train, test = parted(self._options, folder)
        right = self._right(folder, train, test)
        clean = np.array([not row.get("leak") for row in test])
        told = {key: 100.0 * float(right.mean())}
        return told if clean.all() else {**told, f"{key}_clean": 100.0 * float(right[clean].mean())}

    def few(self, key: str, folder: str) -> dict[str, float]:
        """The published ten a label; `KEY_draws` has the mean of these and two other draws."""
        samples, asked = few_shot(self._options, folder)
        found = [100.0 * float(self._right(folder, sample, asked).mean()) for sample in samples]
        return {key: found[0], **spread(f"{key}_draws", found)}

    def cross_validated(self, key: str, folder: str, name: str) -> dict[str, float]:
        """Stratified, shuffled folds; the seed shuffles them."""
        from sklearn.model_selection import StratifiedKFold

        data = rows(self._options, f"{folder}/{name}")
        labels = np.array([row["label"] for row in data])
        found = []
        for seed in SEEDS:
            right = np.zeros(len(data), dtype=np.bool_)
            for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(labels, labels):
                right[test] = self._right(folder, [data[i] for i in train], [data[i] for i in test])
            found.append(100.0 * float(right.mean()))
            self._options.say(f"{key}: seed {seed}, {found[-1]:.2f}")
        return spread(key, found)

    def scope(self, scoped: Scoped) -> dict[str, float]:
        """Its keys end with `_head`; floors stand beside."""
        judged = self._judged(scoped.folder, self._fit(scoped.folder, scoped.learned), scoped.asked)
        return {**{f"{key}_head": value for key, value in figures(scoped, judged).items()}, **floor(scoped)}

    def _right(self, folder: str, train: Sequence[Row], test: Sequence[Row]) -> NDArray[np.bool_]:
        named = self._judged(folder, self._fit(folder, train), test).labels
        same: NDArray[np.bool_] = named == np.array([row["label"] for row in test])
        return same

    def _fit(self, folder: str, train: Sequence[Row]) -> IntentHead:
        labelled = Labelled([row["text"] for row in train], [row["label"] for row in train])
        head, held_out = fit_examples(labelled, self._encode(folder))
        self._options.say(
            f"{folder}: {len(train)} examples, {100 * held_out:.2f} on their own held-out folds"
        )
        return head

    def _judged(self, folder: str, head: IntentHead, asked: Sequence[Row]) -> Judged:
        return judge(head, [row["text"] for row in asked], self._encode(folder), foreign=OUT_OF_SCOPE)

    def _encode(self, folder: str) -> Encode:
        return lambda texts: self._kept.matrix(folder, texts)


def parted(options: Options, folder: str) -> tuple[list[Row], list[Row]]:
    """Training and test rows. Raises `NoData`."""
    train, test = PARTS.get(folder, ("train", "test"))
    return rows(options, f"{folder}/{train}"), rows(options, f"{folder}/{test}")


def few_shot(options: Options, folder: str) -> tuple[list[list[Row]], list[Row]]:
    """Three draws of ten rows a label, the published one first; and the test rows. Raises `NoData`."""
    pool, test = parted(options, folder)
    published = rows(options, f"{folder}/dialoglue_train_10")
    return [_as_in(pool, published), *(_draw(pool, seed) for seed in SEEDS[1:])], test


def _draw(pool: Sequence[Row], seed: int) -> list[Row]:
    """Ten rows of each label."""
    rng = np.random.default_rng(seed)
    labels = np.array([row["label"] for row in pool])
    return [
        pool[i]
        for label in sorted(set(labels))
        for i in rng.permutation(np.flatnonzero(labels == label))[:SHOTS]
    ]


def _as_in(pool: Sequence[Row], published: Sequence[Row]) -> list[Row]:
    """These rows as the training split spells them: the published subset of BANKING77 is lower-cased."""
    spelt = {_folded(row["text"]): row["text"] for row in reversed(pool)}
    return [{**row, "text": spelt.get(_folded(row["text"]), row["text"])} for row in published]


def _folded(text: str) -> str:
    return " ".join(text.lower().split())


def spread(key: str, found: Sequence[float]) -> dict[str, float]:
    """Mean, and largest less smallest."""
    return {key: float(np.mean(found)), f"{key}_spread": max(found) - min(found)}
