"""Public sets with foreign questions mixed in: how sure the product's head is of each text, and whether it is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench import Options
from bench._sets import Row, rows
from bench._vectors import Kept
from training.apply import OUT_OF_SCOPE, Floats, IntentHead
from training.examples import Encode, Labelled, fit_examples
from training.noise import changed
from training.thresholds import Bools

TYPOS = 0.25
"""Share of texts with a slip of the keyboard in them."""
FOREIGN = 0.18
"""Share of foreign questions where the set has none of its own; CLINC150's is this."""
SEED = 0
FOLDS = 5
BANK = frozenset({"banking", "credit_cards"})
"""Domains of CLINC150 in which BANKING77 has intents too."""


@dataclass(frozen=True, slots=True)
class Pool:
    """n texts that no head has learned: how sure it is of its best label [n], and whether that is right [n]."""

    sure: Floats
    right: Bools


@dataclass(frozen=True, slots=True)
class Asked:
    """What a head learns, and what it is asked. `foreign`: no label of the set is right for them."""

    learned: Sequence[Row]
    own: Sequence[Row]
    foreign: Sequence[str]


def clinc150(options: Options) -> list[Asked]:
    """Its test split with its own out-of-scope questions; 100 others of these are learned as such."""
    learned = [*rows(options, "clinc150/train"), *_strange(options)]
    foreign = [row["text"] for row in rows(options, "clinc150/oos_test")]
    return [Asked(learned, rows(options, "clinc150/test"), foreign)]


def banking77(options: Options) -> list[Asked]:
    """Its test split, with CLINC150's questions about anything but a bank."""
    strange = [row["text"] for row in rows(options, "clinc150/test") if row["domain"] not in BANK]
    own = [row for row in rows(options, "banking77/test") if not row.get("leak")]
    learned = [*rows(options, "banking77/train"), *_strange(options)]
    return [Asked(learned, own, _some(strange, beside=len(own)))]


def smp2017(options: Options) -> list[Asked]:
    """It has no split: each fifth is asked of a head that learned the others, with ATEC's questions about a payment
    service. No foreign question is learned: the set has none.
    """
    from sklearn.model_selection import StratifiedKFold

    data = rows(options, "smp2017_ecdt/train_develop")
    labels = [row["label"] for row in data]
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(labels, labels)
    strange = list(dict.fromkeys(row["text1"] for row in rows(options, "atec/train")))
    foreign = _some(strange, beside=len(data))
    return [
        Asked([data[i] for i in train], [data[i] for i in test], foreign[number::FOLDS])
        for number, (train, test) in enumerate(folds)
    ]


def pool(name: str, parts: Sequence[Asked], kept: Kept, options: Options) -> Pool:
    """All that is asked of one head or of several; a share of the texts has a typo in it."""
    found = [_pool(name, asked, kept) for asked in parts]
    options.say(f"{name}: {sum(len(part.sure) for part in found)} texts to ask")
    return Pool(*(np.concatenate([getattr(part, key) for part in found]) for key in ("sure", "right")))


def _pool(name: str, asked: Asked, kept: Kept) -> Pool:
    learned = Labelled([row["text"] for row in asked.learned], [row["label"] for row in asked.learned])
    head, _ = fit_examples(learned, lambda texts: kept.matrix(name, texts))
    kept.of(name, [row["text"] for row in asked.own])  # those without a typo need not be encoded again
    texts = with_typos([*(row["text"] for row in asked.own), *asked.foreign])
    truth = [*(row["label"] for row in asked.own), *(OUT_OF_SCOPE for _ in asked.foreign)]
    return _judged(head, texts, truth, lambda some: kept.matrix("promise", some))


def with_typos(texts: Sequence[str]) -> list[str]:
    """The same texts, one in four with a typo."""
    chosen = np.random.default_rng(SEED).random(len(texts)) < TYPOS
    mistyped = changed("typo", texts, seed=SEED)
    return [other if one else text for text, other, one in zip(texts, mistyped, chosen, strict=True)]


def _judged(head: IntentHead, texts: Sequence[str], truth: Sequence[str], encode: Encode) -> Pool:
    """The probability of the likeliest label: that of a label if the text is in scope, times that it is."""
    found = head.probabilities(encode(texts), texts)
    known = [place for place, label in enumerate(head.labels) if label != OUT_OF_SCOPE]
    named = np.array([head.labels[place] for place in known])[found[:, known].argmax(axis=1)]
    return Pool(found[:, known].max(axis=1), named == np.array(truth))


def _strange(options: Options) -> list[Row]:
    return [{**row, "label": OUT_OF_SCOPE} for row in rows(options, "clinc150/oos_train")]


def _some(texts: Sequence[str], *, beside: int) -> list[str]:
    """As many as make the share `FOREIGN` beside so many others."""
    order = np.random.default_rng(SEED).permutation(len(texts))
    return [texts[place] for place in order[: round(beside * FOREIGN / (1 - FOREIGN))]]
