"""What the encoder is tuned on, and what a run tells. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from training.apply import OUT_OF_SCOPE

RETRIEVAL = "retrieval"
ANCHORS = "anchors"

Kind = Literal["labels", "pairs", "anchors"]


@dataclass(frozen=True, slots=True)
class Task:
    """n texts and the label of each. The name says what is learned of them.

    `retrieval`: texts with one label (the answer's key) come close, others part. `anchors`: nothing, these texts keep
    their vectors (see `Recipe.keep`); their labels do not count. Any other name: a classifier over the labels.
    `weight`: how many times the texts are seen in an epoch; a half is every second one.
    """

    name: str
    texts: Sequence[str]
    labels: Sequence[str]
    weight: float = 1.0
    foreign: str = OUT_OF_SCOPE
    """The label whose name nobody would say (see `Recipe.names`)."""

    @property
    def kind(self) -> Kind:
        return "pairs" if self.name == RETRIEVAL else "anchors" if self.name == ANCHORS else "labels"


@dataclass(frozen=True, slots=True)
class Step:
    """One batch is learned. `epoch` and `batch` count from 0, `done` of `total` steps from 1.

    `loss` is of this process's part of the batch, `rate` the encoder's. `metrics` is what `evaluate` gave at an epoch's
    end, and empty elsewhere.
    """

    epoch: int
    batch: int
    done: int
    total: int
    loss: float
    rate: float
    metrics: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
