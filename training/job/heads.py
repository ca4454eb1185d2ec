"""The classifier of each task, on the encoder as it is or as it was tuned: numpy heads, as a bot has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from training.apply import IntentHead, spoken
from training.dataset import Row, Task
from training.examples import Encode, Labelled, fit_examples
from training.fit import FOLDS, blended, fit_words
from training.job.material import Material, Part
from training.progress import Report

SHARES = (0.0, 0.1, 0.25, 0.5, 1.0)
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


def fit_tuned(heads: Sequence[IntentHead], part: Part, encode: Encode, *, foreign: str) -> Fitted:
    """`heads`: the tuner's own classifier, and that of the tuner which learned the validation rows too, if one did.

    Words come beside it; how much they count is chosen on the validation rows, which the first one has not seen.
    """
    first = _with_words(heads[0], part.train, foreign)
    if not part.valid:
        return Fitted(replace(first, share=0.0), {"by": None, "accuracy": None})
    texts, labels = [row.text for row in part.valid], [row.label for row in part.valid]
    head, accuracy = blended(first, (encode(texts), labels, texts), shares=SHARES)
    told = {"by": "tenth of the training rows" if part.held else "valid", "accuracy": accuracy}
    if len(heads) > 1:
        last = _with_words(heads[1], part.everything, foreign)
        head = replace(last, share=head.share, temperature=head.temperature)
    return Fitted(head, told)


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
