"""Labelled texts and their vectors: how a head is fitted on them, in a bot, on public data or on anybody's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.apply import OUT_OF_SCOPE, Floats, IntentHead, spoken
from training.fit import CS, fit_scaled

FLAT = 2.0
"""Temperature at which scope is judged: recall on CLINC150's validation split is 71 at .3 and 87 from 1.5 to 3."""

Encode = Callable[[Sequence[str]], Floats]
"""float32 [n, dim] of n texts."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """n texts, and the label of each."""

    texts: Sequence[str]
    labels: Sequence[str]


def fit_examples(
    train: Labelled,
    encode: Encode,
    *,
    valid: Labelled | None = None,
    foreign: str = OUT_OF_SCOPE,
    done: Callable[[int], None] = lambda _: None,
) -> tuple[IntentHead, float]:
    """As a bot's: names of labels are examples too. The head, and its accuracy (0..1) on texts held out.

    Those are `valid` where it is given, else folds of `train`; they also say how strongly to regularise, which in a bot
    is fixed. `foreign`: the label whose name nobody would say.
    """
    names = spoken(label for label in train.labels if label != foreign)
    texts = [*train.texts, *(text for text, _ in names)]
    labels = [*train.labels, *(label for _, label in names)]
    held_out = (encode(valid.texts), valid.labels, valid.texts) if valid else None
    return fit_scaled(encode(texts), labels, texts, cs=CS, held_out=held_out, done=done)


@dataclass(frozen=True, slots=True)
class Judged:
    """Of n texts: the likeliest label [n], its probability [n], and how likely the text is out of scope [n].

    A message is the likelier out of scope the less likely its best label is, under a temperature that keeps large
    probabilities apart (Liang, Li, Srikant 2018, ODIN): chosen on a validation split among the probability of
    out_of_scope, its odds, energy, distances to texts and to labels. `foreign` is never a label here.
    """

    labels: NDArray[np.str_]
    sure: Floats
    outside: Floats


def judge(head: IntentHead, texts: Sequence[str], encode: Encode, *, foreign: str | None) -> Judged:
    """`foreign`: the label of what is out of scope, which the head may know or not."""
    vectors = encode(texts)
    known = _known(head, head.probabilities(vectors, texts), foreign)
    flat = _known(head, replace(head, temperature=FLAT).probabilities(vectors, texts), foreign)
    names = np.array([label for label in head.labels if label != foreign], dtype=np.str_)
    shares = known / known.sum(axis=1, keepdims=True)
    return Judged(names[known.argmax(axis=1)], shares.max(axis=1), -flat.max(axis=1))


def _known(head: IntentHead, probabilities: Floats, foreign: str | None) -> Floats:
    """Without the column of what is out of scope."""
    places = [place for place, label in enumerate(head.labels) if label != foreign]
    return probabilities[:, places]
