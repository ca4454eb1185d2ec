"""Rows of entities for the bench, with the states of their tokens, which are kept from run to run."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench import Options
from bench._sets import rows
from retrieval.embed import Tokens
from retrieval.onnx_encoder import OnnxEncoder
from training.entities.spec import Example, Span

LEARNED, JUDGED = range(10), range(10, 15)
"""Folds of NLU++. By 15 to 19 the layers and the weights' strength were chosen."""
SENTENCES = 1000
"""Of each domain and split of MultiDoGO: drawn once, those without a word left out."""
_BATCH = 64


@dataclass(slots=True)
class KeptStates:
    """Tokens by text; a file for each set, which counts only for the encoder and the layers that made it."""

    encoder: OnnxEncoder
    layers: int
    """How many layers' states are told for each token."""
    options: Options
    _known: dict[str, Tokens] = field(default_factory=dict)

    def of(self, name: str, texts: Sequence[str]) -> dict[str, Tokens]:
        kept = self.options.cache / "entities" / f"{name}.npz"
        self._known = self._read(kept)
        missing = sorted({text for text in texts if text not in self._known}, key=len)
        for start in range(0, len(missing), _BATCH):
            batch = missing[start : start + _BATCH]
            told = [_rounded(tokens) for tokens in self.encoder.encode_tokens(batch)[1]]
            self._known.update(zip(batch, told, strict=True))
            self.options.say(f"{name}: states of {start + len(batch)} of {len(missing)} texts")
        if missing:
            self._write(kept)
        return self._known

    @property
    def _mark(self) -> str:
        return f"{self.encoder.fingerprint}:{self.layers}"

    def _read(self, kept: Path) -> dict[str, Tokens]:
        if not kept.is_file():
            return {}
        with np.load(kept, allow_pickle=False) as held:
            if str(held["mark"]) != self._mark:
                return {}
            ends = np.cumsum(held["lengths"])[:-1]
            parts = zip(np.split(held["places"], ends), np.split(held["states"], ends), strict=True)
            tokens = [Tokens(places, states.astype(np.float32)) for places, states in parts]
            return dict(zip(held["texts"].tolist(), tokens, strict=True))

    def _write(self, kept: Path) -> None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        every = list(self._known.values())
        np.savez(
            kept,
            texts=np.array(list(self._known)),
            lengths=np.array([len(tokens.places) for tokens in every]),
            places=np.concatenate([tokens.places for tokens in every]),
            states=np.concatenate([tokens.states.astype(np.float16) for tokens in every]),
            mark=self._mark,
        )


def _rounded(tokens: Tokens) -> Tokens:
    """As it comes back from the file: the first run measures what the next one does."""
    return Tokens(tokens.places, tokens.states.astype(np.float16).astype(np.float32))


def nlupp(domain: str, options: Options) -> tuple[list[Example], list[Example]]:
    """Learned and judged. Raises `NoData`."""
    found: tuple[list[Example], list[Example]] = [], []
    for row in rows(options, f"nlupp/{domain}"):
        spans = tuple(
            Span(slot["span"][0], slot["span"][1], kind) for kind, slot in row.get("slots", {}).items()
        )
        if row["fold"] in LEARNED or row["fold"] in JUDGED:
            found[row["fold"] in JUDGED].append(Example(row["text"], spans))
    return found


def multidogo(domain: str, options: Options) -> tuple[list[Example], list[Example]]:
    """Learned: of the training split; judged: of the test split. Raises `NoData`."""
    learned, judged = (_sentences(domain, split, options) for split in ("train", "test"))
    return learned, judged


def _sentences(domain: str, split: str, options: Options) -> list[Example]:
    found = [row for row in rows(options, f"multidogo/sentence_{split}") if row["domain"] == domain]
    pairs = [((row["text"] or "").split(), (row["slots"] or "").split()) for row in found]
    pairs = [(words, slots) for words, slots in pairs if words and len(words) == len(slots)]
    random.Random(0).shuffle(pairs)
    return [_example(words, slots) for words, slots in pairs[:SENTENCES]]


def _example(words: Sequence[str], slots: Sequence[str]) -> Example:
    """Words of one kind that stand together are one entity."""
    found: list[Span] = []
    at, before = 0, "O"
    for word, slot in zip(words, slots, strict=True):
        end = at + len(word)
        if slot != "O":
            first = found.pop().start if slot == before else at
            found.append(Span(first, end, slot))
        at, before = end + 1, slot
    return Example(" ".join(words), tuple(found))
