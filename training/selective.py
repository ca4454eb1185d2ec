"""How well confidence sorts right answers from wrong ones: risk and coverage, and whether it means what it says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.apply import Floats
from training.thresholds import Bools

GROUPS = 15
"""Of equal size, in which confidences are compared with what came true."""
CURVE = 100
"""Points of a curve, at most: more cannot be seen."""
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """For each share of texts that are answered, the surest first: the share of wrong ones among them (0..1)."""

    coverage: Numbers
    risk: Numbers

    @property
    def area(self) -> float:
        """AURC (Geifman, Uziel, El-Yaniv 2019): the mean risk over all coverages. 0 is perfect."""
        return float(self.risk.mean()) if len(self.risk) else 0.0

    def points(self) -> list[list[float]]:
        """[coverage, risk], at most `CURVE` of them."""
        places = (
            np.unique(np.linspace(0, len(self.risk) - 1, CURVE).astype(np.int64)) if len(self.risk) else ()
        )
        return [[round(float(self.coverage[n]), 4), round(float(self.risk[n]), 4)] for n in places]


def risk_coverage(sure: Floats, right: Bools) -> RiskCoverage:
    """`sure` [n], `right` [n]. Texts of the same confidence are answered together: none of them comes first."""
    order = np.argsort(-sure, kind="stable")
    values, answered = sure[order], np.arange(1, len(sure) + 1)
    last = np.searchsorted(-values, -values, side="right") - 1
    risk = np.cumsum(~right[order]) / np.maximum(answered, 1)
    return RiskCoverage(answered / max(len(sure), 1), risk[last] if len(sure) else risk)


@dataclass(frozen=True, slots=True)
class Group:
    """Texts of similar confidence: their mean confidence, and the share of them that are right (0..1)."""

    texts: int
    confidence: float
    right: float


def reliability(sure: Floats, right: Bools, *, groups: int = GROUPS) -> list[Group]:
    """Groups of equal size (Nguyen, O'Connor 2015), the least sure first: none is a matter of a few texts."""
    order = np.argsort(sure, kind="stable")
    parts = np.array_split(order, min(groups, len(order))) if len(order) else []
    return [Group(len(part), float(sure[part].mean()), float(right[part].mean())) for part in parts]


def calibration_error(groups: list[Group]) -> float:
    """ECE over groups of equal size: mean distance, over texts, of confidence from what came true."""
    texts = sum(group.texts for group in groups)
    return sum(g.texts * abs(g.confidence - g.right) for g in groups) / texts if texts else 0.0
