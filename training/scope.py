"""How well what is out of scope is told apart from what is not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.apply import Floats
from training.measures import IN_SCOPE


def auroc(inside: Floats, outside: Floats) -> float:
    """0..1. `inside` [n], `outside` [m]: how likely each message is to be out of scope."""
    from sklearn.metrics import roc_auc_score

    truth = np.r_[np.zeros(len(inside)), np.ones(len(outside))]
    return float(roc_auc_score(truth, np.r_[inside, outside]))


def recall(right: NDArray[np.bool_], inside: Floats, outside: Floats, *, at: float = IN_SCOPE) -> float:
    """Share (0..1) of `outside` above the lowest limit under which the share `at` of `inside` is right and accepted.

    `right` [n]: whether an in-scope message is understood if not rejected. 0 where even without rejections fewer are
    right: then nothing may be rejected.
    """
    needed = int(np.ceil(at * len(right) - 1e-9))
    if needed > right.sum():
        return 0.0
    limit = np.sort(inside[right])[needed - 1]
    return float((outside > limit).mean())
