"""Intents with a tuned encoder: what a run of the tuner names on the test split, mean of three seeds.

A run takes minutes, so its outcome is kept under a hash of all that decides it (texts, recipe, encoder, code,
versions): a bench that was broken off goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import ROOT, Options
from bench._bank import encoder_folder
from bench._intents import SEEDS, few_shot, parted, spread
from bench._scope import Scoped, figures, floor
from bench._sets import Row
from training.apply import OUT_OF_SCOPE, IntentHead, spoken
from training.examples import Encode, Judged, Labelled, judge
from training.fit_words import fit_words
from training.tuning.recipes import Recipe, recipe_for
from training.tuning.task import Step, Task

FULL, FEW = "full", "contrastive"
"""The method for a whole training split, and for a few examples a label."""
SHARES = {FULL: 0.75, FEW: 1.0}
"""How much a margin of the words counts beside a tuned encoder; by validation texts."""
_TASK = "intent"
_EVERY_S = 15.0

Tell = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class Tuned:
    """A tuned encoder's head with words beside it; `seconds`: from texts to this."""

    head: IntentHead
    encode: Encode
    seconds: float

    def judged(self, texts: Sequence[str]) -> Judged:
        return judge(self.head, texts, self.encode, foreign=OUT_OF_SCOPE)


@dataclass(frozen=True, slots=True)
class Asked:
    """Rows that a tuned encoder is asked, and what is kept of its answers."""

    rows: Sequence[Row]
    of: Callable[[Tuned], Mapping[str, list[Any]]]


def tune(folder: Path, train: Labelled, recipe: Recipe, *, tell: Tell = lambda _: None) -> Tuned:
    """`folder`: the encoder to begin with. All epochs of the recipe: nothing is held out."""
    from training.tuning.tuner import Tuner

    begun = time.perf_counter()
    tuner = Tuner(folder, [Task(_TASK, train.texts, train.labels)], recipe)
    for step in tuner.run():
        tell(step)
    head = _with_words(tuner.head(_TASK), train, SHARES.get(recipe.method, 0.0))
    return Tuned(head, tuner.encode, time.perf_counter() - begun)


def _with_words(head: IntentHead, train: Labelled, share: float) -> IntentHead:
    """The words of the texts that the encoder was tuned on: names of labels too."""
    names = spoken(train.labels)
    texts = [*train.texts, *(text for text, _ in names)]
    words = fit_words(texts, [*train.labels, *(label for _, label in names)]) if share else None
    return replace(head, words=words, share=share if words else 0.0)


class TunedIntents:
    """`base`: folder of the encoder to begin with, None for the embedded one; `fingerprint`: tells it from others."""

    def __init__(self, base: Path | None, fingerprint: str, options: Options) -> None:
        self._base, self._fingerprint, self._options = base, fingerprint, options

    def full(self, key: str, folder: str) -> dict[str, float]:
        """One split; `KEY_clean` without test rows that also stand in the training split, where there are such."""
        train, test = parted(self._options, folder)
        rights = [self._right((key, seed), recipe_for(FULL, {"seed": seed}), train, test) for seed in SEEDS]
        clean = np.array([not row.get("leak") for row in test])
        told = spread(key, [100.0 * float(right.mean()) for right in rights])
        if not clean.all():
            told[f"{key}_clean"] = 100.0 * float(np.mean([right[clean].mean() for right in rights]))
        return told

    def few(self, key: str, folder: str) -> dict[str, float]:
        """The published ten a label, trained with each seed; `KEY_draws`: these and two other draws, a seed each."""
        samples, test = few_shot(self._options, folder)
        found = [self._few(key, seed, samples[0], test) for seed in SEEDS]
        others = zip(SEEDS[1:], samples[1:], strict=True)
        draws = [found[0], *(self._few(f"{key}_draws", seed, sample, test) for seed, sample in others)]
        return {**spread(key, found), **spread(f"{key}_draws", draws)}

    def _few(self, key: str, seed: int, sample: Sequence[Row], test: Sequence[Row]) -> float:
        """In percent."""
        return 100.0 * float(self._right((key, seed), recipe_for(FEW, {"seed": seed}), sample, test).mean())

    def scope(self, scoped: Scoped) -> dict[str, float]:
        """Tuned with the out-of-scope examples as one intent more."""
        runs = [self._scoped(seed, scoped) for seed in SEEDS]
        told = [spread(key, [run[key] for run in runs]) for key in runs[0]]
        return {**{key: value for part in told for key, value in part.items()}, **floor(scoped)}

    def _scoped(self, seed: int, scoped: Scoped) -> dict[str, float]:
        run, recipe = (f"{scoped.folder}_oos", seed), recipe_for(FULL, {"seed": seed})

        def asked(tuned: Tuned) -> Mapping[str, list[Any]]:
            judged = tuned.judged([row["text"] for row in scoped.asked])
            return {name: getattr(judged, name).tolist() for name in ("labels", "sure", "outside")}

        found = self._outcome(run, recipe, scoped.learned, Asked(scoped.asked, asked))
        judged = Judged(*(np.array(found[name]) for name in ("labels", "sure", "outside")))
        told = figures(scoped, judged)
        self._options.say(f"{run[0]}: seed {seed}, " + ", ".join(f"{k} {v:.2f}" for k, v in told.items()))
        return told

    def _right(
        self, run: tuple[str, int], recipe: Recipe, train: Sequence[Row], test: Sequence[Row]
    ) -> NDArray[np.bool_]:
        def asked(tuned: Tuned) -> Mapping[str, list[Any]]:
            named = tuned.judged([row["text"] for row in test]).labels
            return {"right": (named == np.array([row["label"] for row in test])).tolist()}

        found = self._outcome(run, recipe, train, Asked(test, asked))
        right = np.array(found["right"], dtype=np.bool_)
        self._options.say(
            f"{run[0]}: seed {run[1]}, {100 * right.mean():.2f} after {found['seconds']:.0f} s of training"
        )
        return right

    def _outcome(
        self, run: tuple[str, int], recipe: Recipe, train: Sequence[Row], asked: Asked
    ) -> dict[str, Any]:
        """What was kept of such a run; else the run."""
        kept = self._options.cache / "tuned" / f"{self._hash(recipe, train, asked.rows)}.json"
        if not kept.is_file():
            tuned = tune(
                self._base or encoder_folder(self._options),
                labelled(train),
                recipe,
                tell=shown(f"{run[0]}, seed {run[1]}", self._options),
            )
            told = {"run": run, "seconds": tuned.seconds, "recipe": asdict(recipe), **asked.of(tuned)}
            kept.parent.mkdir(parents=True, exist_ok=True)
            beside = kept.with_suffix(".part")
            beside.write_text(json.dumps(told), encoding="utf-8")
            beside.replace(kept)
        found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return found

    def _hash(self, recipe: Recipe, train: Sequence[Row], test: Sequence[Row]) -> str:
        rows = [[[row["text"], row["label"]] for row in part] for part in (train, test)]
        told = [rows, asdict(recipe), SHARES[recipe.method], self._fingerprint, _code(), _versions()]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


def labelled(rows: Sequence[Row]) -> Labelled:
    return Labelled([row["text"] for row in rows], [row["label"] for row in rows])


def shown(name: str, options: Options) -> Tell:
    """Says now and then how far a run is, and how long it will still take."""
    begun = last = time.perf_counter()

    def tell(step: Step) -> None:
        nonlocal last
        now = time.perf_counter()
        if now - last >= _EVERY_S:
            last = now
            left = (now - begun) / step.done * (step.total - step.done)
            options.say(f"{name}: step {step.done} of {step.total}, {left / 60:.1f} min left")

    return tell


def _code() -> list[str]:
    """What the outcome hangs on beside the recipe."""
    names = ("apply", "examples", "export", "fit", "neighbours", "words")
    files = [*sorted((ROOT / "training/tuning").glob("*.py")), *(ROOT / f"training/{n}.py" for n in names)]
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def _versions() -> list[str]:
    return [
        version(name) for name in ("numpy", "scikit-learn", "sentence-transformers", "torch", "transformers")
    ]
