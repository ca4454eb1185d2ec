"""The classifier of each task, on the encoder as it is or as it was tuned: numpy heads, as a bot has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from training.apply import IntentHead, spoken
from training.dataset import Row, Task
from training.examples import Encode, Labelled, fit_examples
from training.fit import FOLDS, blended
from training.fit_words import fit_words
from training.job.material import Material, Part
from training.progress import Report

SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
"""Of the words beside a tuned encoder, which has learned most of them."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """`held_out`: by what temperature and share of the words were chosen, and the accuracy (0..1) there."""

    head: IntentHead
    held_out: Mapping[str, Any]


def fit_frozen(part: Part, encode: Encode, *, foreign: str, refit: bool, say: Report) -> Fitted:
    """On the encoder as it is. With `refit` on the validation rows too: folds then choose."""
    by_valid = bool(part.valid) and not refit
    head, accuracy = fit_examples(
        labelled(part.everything if refit else part.train),
        encode,
        valid=labelled(part.valid) if by_valid else None,
        foreign=foreign,
        done=lambda fold: say("fitting", fold, FOLDS + 2, "fitting"),
    )
    return Fitted(head, {"by": "valid" if by_valid else "folds", "accuracy": accuracy})


def fit_tuned(head: IntentHead, part: Part, encode: Encode, *, foreign: str) -> Fitted:
    """The tuner's own classifier, with words beside it where they help on the validation rows."""
    head = _with_words(head, part.train, foreign)
    if not part.valid:
        return Fitted(replace(head, share=0.0), {"by": "nothing", "accuracy": None})
    texts, labels = [row.text for row in part.valid], [row.label for row in part.valid]
    head, accuracy = blended(head, (encode(texts), labels, texts), shares=SHARES)
    return Fitted(head, {"by": "tenth" if part.held else "valid", "accuracy": accuracy})


def fit_again(first: Fitted, head: IntentHead, part: Part, *, foreign: str) -> Fitted:
    """The same for a tuner that has learned the validation rows too; what was chosen by them stays."""
    head = _with_words(head, part.everything, foreign)
    return replace(first, head=replace(head, share=first.head.share, temperature=first.head.temperature))


def labelled(rows: Sequence[Row]) -> Labelled:
    return Labelled([row.text for row in rows], [row.label for row in rows])


def texts_of(material: Material, *splits: str) -> list[str]:
    """Every text of those splits; names of labels too where training rows are among them."""
    texts: list[str] = []
    for task, part in material.parts.items():
        for split in splits:
            rows: Sequence[Row] = getattr(part, split)
            texts += [row.text for row in rows]
            if split != "test" and task in material.labelled:
                names = spoken(row.label for row in rows if row.label != material.foreign)
                texts += [name for name, _ in names]
    return list(dict.fromkeys(texts))


def _with_words(head: IntentHead, rows: Sequence[Row], foreign: str) -> IntentHead:
    names = spoken(row.label for row in rows if row.label != foreign)
    texts = [*(row.text for row in rows), *(name for name, _ in names)]
    labels = [*(row.label for row in rows), *(label for _, label in names)]
    words = fit_words(texts, labels)
    known = tuple(sorted(set(labels)))
    if words is None or known != head.labels:
        return head
    return replace(head, words=words)


Heads = Mapping[Task, Fitted]
