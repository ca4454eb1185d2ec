"""Kefu beside SetFit and Rasa's DIET: the same ten examples a label, the same machine and threads, accuracy on the same
test rows and seconds of training. And what tuning costs beyond the sums that nobody is spared (`bench._overhead`).

docs/benches.md says what each key means and how each peer is set up.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import RASA, ROOT, SETFIT_ITERATIONS, NoData, Options
from bench._bank import embed, encoder_folder
from bench._child import PeerError, measured
from bench._intents import few_shot, parted
from bench._setfit import environment
from bench._sets import Row
from bench._tuned import FEW, labelled, shown, tune
from retrieval.embed import Encoder
from retrieval.onnx_encoder import OnnxEncoder, cores
from training.apply import OUT_OF_SCOPE
from training.examples import fit_examples, judge
from training.tuning.recipes import recipe_for

SETS = {"": "banking77", "clinc150_10_": "clinc150", "hwu64_10_": "hwu64"}
"""What keys begin with; all but the first are measured when they are asked for."""
SCRIPTS = ROOT / "bench" / "_peer"
SETFIT = {"batch": 16, "epochs": 1}
_PUBLISHED = 20
DIET_EPOCHS = 100
SEED = 0

Found = tuple[Sequence[str] | NDArray[np.str_], float]
"""A label for each test row, and seconds of training."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What everybody is given."""

    train: Sequence[Row]
    test: Sequence[Row]
    base: Path
    threads: int
    options: Options

    @property
    def asked(self) -> list[str]:
        return [row["text"] for row in self.test]

    def job(self, **more: Any) -> dict[str, Any]:
        train = [{"text": row["text"], "label": row["label"]} for row in self.train]
        return {"train": train, "test": self.asked, "threads": self.threads, "seed": SEED, **more}


def run(options: Options, *, encoder: Encoder | None = None, base: Path | None = None) -> dict[str, float]:
    """All keys that `--only` leaves. Raises `NoData`."""
    if options.data is None:
        raise NoData("give the folder of the public data sets: --data DIR")
    base = base or encoder_folder(options)
    threads = cores()
    figures: dict[str, float] = {}
    for prefix, folder in SETS.items():
        wanted = [name for name in PEERS if _wanted(options, prefix, name)]
        if wanted:
            samples, test = few_shot(options, folder)
            ground = Ground(samples[0], test, base, threads, options)
            peers = {**PEERS, "kefu_head": lambda given: _head(given, encoder)}
            for name in wanted:
                figures |= _figures(prefix, name, peers[name], ground)
    if _begins(options, "train_", "plain_", "bare_"):
        from bench._overhead import overhead

        train, _ = parted(options, "banking77")
        figures |= overhead(base, labelled(train), options.say, threads=threads)
    return figures


def _wanted(options: Options, prefix: str, name: str) -> bool:
    if not options.only:
        return not prefix
    names = (name, "kefu") if name == BEST else (name,)
    return any(options.wants(f"{prefix}{one}_{figure}") for one in names for figure in FIGURES)


def _begins(options: Options, *starts: str) -> bool:
    return not options.only or any(key.startswith(starts) for key in options.only)


def _figures(
    prefix: str, name: str, peer: Callable[[Ground], Found | None], ground: Ground
) -> dict[str, float]:
    """Nothing of a peer that is not there or fails: it says so."""
    say = ground.options.say
    say(f"{prefix}{name}: {len(ground.train)} examples, {len(ground.test)} test texts")
    try:
        found = peer(ground)
    except PeerError as error:
        say(f"{name} is left out. {error}")
        return {}
    if found is None:
        return {}
    right = np.array(found[0]) == np.array([row["label"] for row in ground.test])
    told = dict(zip(FIGURES, (100.0 * float(right.mean()), found[1]), strict=True))
    say(f"{prefix}{name}: {told['accuracy']:.2f} after {told['seconds']:.1f} s of training")
    names = (name, "kefu") if name == BEST else (name,)
    return {f"{prefix}{one}_{figure}": value for one in names for figure, value in told.items()}


def _head(ground: Ground, encoder: Encoder | None) -> Found:
    """As a bot has it: the encoder as it comes, vectors made here and now."""
    encoder = encoder or OnnxEncoder.open(ground.base, as_typed=True)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as nothing:
        kept = Path(nothing) / "vectors.npz"

        def encode(texts: Sequence[str]) -> NDArray[np.float32]:
            return embed(encoder, texts, ground.options, kept=kept)

        head, _ = fit_examples(labelled(ground.train), encode)
        seconds = time.perf_counter() - begun
        return judge(head, ground.asked, encode, foreign=OUT_OF_SCOPE).labels, seconds


def _contrastive(ground: Ground) -> Found:
    recipe = recipe_for(FEW, {"seed": SEED, "threads": ground.threads})
    tell = shown("kefu_contrastive", ground.options)
    tuned = tune(ground.base, labelled(ground.train), recipe, tell=tell)
    return tuned.judged(ground.asked).labels, tuned.seconds


def _setfit(ground: Ground) -> Found:
    """With its published settings, on the same encoder."""
    options = ground.options
    iterations = int(os.environ.get(SETFIT_ITERATIONS) or _PUBLISHED)
    if iterations != _PUBLISHED:
        options.say(f"setfit: {iterations} iterations of pairs instead of {_PUBLISHED} ({SETFIT_ITERATIONS})")
    job = ground.job(encoder=str(ground.base), iterations=iterations, **SETFIT)
    return _child(environment(options.cache, options.say), "setfit_peer.py", job, options)


def _rasa(ground: Ground) -> Found | None:
    """With the pipeline that `rasa init` suggests."""
    python = os.environ.get(RASA)
    if not python:
        ground.options.say(f"rasa is left out: set {RASA} to a Python 3.10 that has Rasa 3.6")
        return None
    if not Path(python).is_file():
        raise PeerError(f"{RASA}: there is no {python}")
    return _child(Path(python), "rasa_peer.py", ground.job(epochs=DIET_EPOCHS, language="en"), ground.options)


def _child(python: Path, script: str, job: Mapping[str, Any], options: Options) -> Found:
    with tempfile.TemporaryDirectory() as work:
        found = measured((python, SCRIPTS / script), job, work=Path(work), say=options.say)
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    options.say(f"{script}: {versions}; {found['judging_seconds']:.1f} s for {len(job['test'])} test texts")
    return found["labels"], found["seconds"]


FIGURES = ("accuracy", "seconds")
BEST = "kefu_contrastive"
"""What we recommend for a few examples a label: `kefu_*` are its figures."""
PEERS: Mapping[str, Callable[[Ground], Found | None]] = {
    "kefu_head": lambda ground: _head(ground, None),
    "kefu_contrastive": _contrastive,
    "setfit": _setfit,
    "rasa": _rasa,
}
