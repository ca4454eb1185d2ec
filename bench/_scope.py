"""Scope on public data: what is foreign told from what is not, by the head of the frozen encoder and by a tuned one's.

Both learn out-of-scope examples of the training split as the intent `out_of_scope`, as a bot does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench import Options
from bench._sets import Row, rows
from training.apply import OUT_OF_SCOPE, Floats
from training.examples import Judged
from training.fit_words import fit_words
from training.measures import IN_SCOPE
from training.scope import auroc, recall


@dataclass(frozen=True, slots=True)
class Scoped:
    """`learned`: rows with the label `out_of_scope` among them; `foreign`: kinds of foreign test rows by their key."""

    folder: str
    learned: Sequence[Row]
    own: Sequence[Row]
    foreign: Mapping[str, Sequence[Row]]

    @property
    def asked(self) -> list[Row]:
        """All that is judged: `own`, then each kind."""
        return [*self.own, *(row for kind in self.foreign.values() for row in kind)]

    def parts(self, judged: Judged) -> tuple[Judged, dict[str, Floats]]:
        """What came of `asked`, taken apart: of `own`, and how foreign each kind is."""
        ends = np.cumsum([len(self.own), *map(len, self.foreign.values())])
        own = Judged(*(getattr(judged, name)[: ends[0]] for name in ("labels", "sure", "outside")))
        return own, dict(zip(self.foreign, np.split(judged.outside, ends[:-1])[1:], strict=True))


def clinc150(options: Options) -> Scoped:
    """Its 100 out-of-scope training queries are learned."""
    train, foreign, test, outside = (
        rows(options, f"clinc150/{name}") for name in ("train", "oos_train", "test", "oos_test")
    )
    return Scoped("clinc150", [*train, *_strange(foreign)], test, {"clinc150_oos": outside})


def banking77_oos(options: Options) -> Scoped:
    """Fifty intents of BANKING77; the others are near, CLINC150's queries far. Near ones of the training split are
    learned. Labels are BANKING77's own: those of the files are shifted against the texts.
    """
    train, test, near, strange = (
        _as_labelled(rows(options, f"banking77_oos/{name}"))
        for name in ("train", "test", "id_oos_test", "id_oos_train")
    )
    far = rows(options, "banking77_oos/ood_oos_test")
    kinds = {"banking77_oos_near": near, "banking77_oos_far": far}
    return Scoped("banking77_oos", [*train, *_strange(strange)], test, kinds)


def _as_labelled(found: Sequence[Row]) -> list[Row]:
    return [
        {**row, "label": row["label_banking77"]}
        for row in found
        if row["label_banking77"] and not row.get("scope_wrong")  # said only where it is so
    ]


def _strange(found: Sequence[Row]) -> list[Row]:
    return [{**row, "label": OUT_OF_SCOPE} for row in found]


def figures(scoped: Scoped, judged: Judged) -> dict[str, float]:
    """In percent, for each kind of foreign rows; `judged`: of `scoped.asked`."""
    own, kinds = scoped.parts(judged)
    right: NDArray[np.bool_] = own.labels == np.array([row["label"] for row in scoped.own])
    found: dict[str, float] = {}
    for key, outside in kinds.items():
        found |= kind_figures(key, right, inside=own.outside, outside=outside)
    return found


def kind_figures(key: str, right: NDArray[np.bool_], *, inside: Floats, outside: Floats) -> dict[str, float]:
    """In percent; see `training.scope`. `_1pt`: where a point of in-scope accuracy is given up."""
    return {
        f"{key}_auroc": 100.0 * auroc(inside, outside),
        f"{key}_recall": 100.0 * recall(right, inside, outside, at=IN_SCOPE),
        f"{key}_recall_1pt": 100.0 * recall(right, inside, outside, at=float(right.mean()) - 0.01),
    }


def floor(scoped: Scoped) -> dict[str, float]:
    """The words alone, by the largest margin."""
    known = [row for row in scoped.learned if row["label"] != OUT_OF_SCOPE]
    words = fit_words([row["text"] for row in known], [row["label"] for row in known])
    assert words is not None
    margins = words.margins([row["text"] for row in scoped.asked])
    names = np.array(sorted({row["label"] for row in known}))
    best = margins.max(axis=1)
    told = figures(scoped, Judged(names[margins.argmax(axis=1)], best, -best))
    return {f"{key}_floor": value for key, value in told.items()}
