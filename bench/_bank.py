"""The example bank as entries and texts, with real vectors that are kept from run to run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench import ROOT, NoData, Options
from bot.definition.load import load
from bot.definition.model import BotDefinition
from retrieval.embed import Encoder, Vectors
from retrieval.onnx_encoder import OnnxEncoder
from retrieval.types import Entry
from training.encoder import build_encoder

BANK = ROOT / "examples" / "bank"
_BATCH = 256


def open_encoder(options: Options) -> OnnxEncoder:
    """The embedded encoder, made first if need be (a minute). Public texts are read as they were published."""
    return OnnxEncoder.open(encoder_folder(options), as_typed=True)


def encoder_folder(options: Options) -> Path:
    """Where it lies: a sentence-transformers folder too."""
    return build_encoder(options.models, report=lambda _stage, _done, _total, text: options.say(text))


def entries() -> list[Entry]:
    """All stored questions with their answers, both languages. Raises `NoData`."""
    found = [row.entry for row in _definition().knowledge]
    return [replace(entry, id=f"{entry.key}-{entry.lang}") for entry in found]


def sentences() -> list[str]:
    """Every stored phrasing and every example of an intent. Raises `NoData`."""
    examples = [t for i in _definition().intents.values() for texts in i.examples.values() for t in texts]
    return list(dict.fromkeys([*examples, *(phrase for entry in entries() for phrase in entry.phrases)]))


def _definition() -> BotDefinition:
    if not BANK.is_dir():
        raise NoData(f"there is no bot folder in {BANK}")
    return load(BANK)


def embed(encoder: Encoder, texts: Sequence[str], options: Options, *, kept: Path) -> Vectors:
    """float32 [len(texts), dim]. Those already in the file `kept` (by text) are not encoded again."""
    known = _load(kept, encoder)
    missing = sorted({text for text in texts if text not in known}, key=len)
    for start in range(0, len(missing), _BATCH):
        batch = missing[start : start + _BATCH]
        known.update(zip(batch, encoder.encode(batch), strict=True))
        options.say(f"encoded {start + len(batch)} of {len(missing)} texts")
    if missing:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            kept,
            texts=np.array(list(known)),
            vectors=np.stack(list(known.values())),
            encoder=encoder.fingerprint,
        )
    return np.stack([known[text] for text in texts])


def _load(kept: Path, encoder: Encoder) -> dict[str, Vectors]:
    if not kept.is_file():
        return {}
    with np.load(kept, allow_pickle=False) as held:
        same = str(held["encoder"]) == encoder.fingerprint
        return dict(zip(held["texts"].tolist(), held["vectors"], strict=True)) if same else {}
