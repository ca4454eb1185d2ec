"""Fitting a choice: of what belongs together one is right, or none. scipy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.apply import Floats

PENALTY = 1.0
"""On the squares of the weights, beside the sum of the questions' losses."""
ROUNDS = 500
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Choices:
    """`rows` [n, F]: evidence of each candidate; `none` [questions, G]: what speaks for none, the last a constant;
    `asked` [n]: number of its question; `truth` [n]: 1 where it is right; `weight` [questions].
    """

    rows: Numbers
    none: Numbers
    asked: NDArray[np.int64]
    truth: Numbers
    weight: Numbers

    def loss(self, at: Numbers) -> tuple[float, Numbers]:
        """Negative log-likelihood of what is right under weights [F + G], with its slope. Of several right ones their
        sum counts.
        """
        own, out = self.rows @ at[: self.rows.shape[1]], self.none @ at[self.rows.shape[1] :]
        top = out.copy()
        np.maximum.at(top, self.asked, own)
        own, out = np.exp(own - top[self.asked]), np.exp(out - top)
        whole = out + np.bincount(self.asked, own, len(out))
        own, out = own / whole[self.asked], out / whole
        known = np.bincount(self.asked, self.truth, len(out)) > 0
        right = np.where(known, np.bincount(self.asked, own * self.truth, len(out)), out)
        right = np.maximum(right, 1e-12)
        of_rows = self.weight[self.asked] * own * (1 - self.truth / right[self.asked])
        of_none = self.weight * (out - ~known)
        kept = np.r_[at[:-1], 0.0]
        slope = np.r_[of_rows @ self.rows, of_none @ self.none] + PENALTY * kept
        return float(PENALTY / 2 * (kept @ kept) - self.weight @ np.log(right)), slope


def fit_choice(choices: Choices) -> tuple[Floats, Floats]:
    """float32 [F] and [G]: weights of candidates and of none, likeliest where large ones are unlikely."""
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_limits

    size = choices.rows.shape[1]
    start = np.zeros(size + choices.none.shape[1])
    with threadpool_limits(1):  # as for a head's: threads wait for each other, on a busy machine for seconds
        found = minimize(choices.loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ROUNDS}).x
    return found[:size].astype(np.float32), found[size:].astype(np.float32)
