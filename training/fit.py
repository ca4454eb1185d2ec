"""Fitting an intent head: standardised logistic regression, temperature-scaled on held-out folds. scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.apply import Floats, IntentHead

C = 0.1
"""Inverse regularisation after standardisation; chosen on held-out folds of the example bank."""
TOPIC_C = 0.03
MAX_TOPICS = 2_000
"""More topics than this get no topic head: it would take minutes, and retrieval has to do."""
FOLDS = 3
TEMPERATURES = np.geomspace(0.1, 10.0, 60)
SEED = 0


def fit_head(vectors: Floats, labels: Sequence[str], *, c: float = C) -> IntentHead:
    """float32 [n, dim] and n labels -> head with temperature 1; without labels where all are the same."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    if len(set(labels)) < 2:
        return no_head(vectors.shape[1])
    scaler = StandardScaler().fit(vectors)
    model = LogisticRegression(C=c, max_iter=400, tol=1e-3, class_weight="balanced").fit(
        scaler.transform(vectors), labels
    )
    weight, bias = _multinomial(model.coef_, model.intercept_)
    return IntentHead(
        tuple(str(label) for label in model.classes_),
        scaler.mean_.astype(np.float32),
        scaler.scale_.astype(np.float32),
        weight,
        bias,
        1.0,
    )


def no_head(dim: int) -> IntentHead:
    """A head that knows no label."""
    zeros, ones = np.zeros(dim, dtype=np.float32), np.ones(dim, dtype=np.float32)
    return IntentHead(
        (), zeros, ones, np.zeros((0, dim), dtype=np.float32), np.zeros(0, dtype=np.float32), 1.0
    )


def _multinomial(weight: NDArray[np.float64], bias: NDArray[np.float64]) -> tuple[Floats, Floats]:
    """Two classes come as one row: the softmax of (0, z) is its sigmoid."""
    if len(weight) == 1:
        weight, bias = np.vstack([np.zeros_like(weight), weight]), np.hstack([0.0, bias])
    return weight.astype(np.float32), bias.astype(np.float32)


def folds(labels: Sequence[str], count: int = FOLDS) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """(train, held out) index pairs, each label spread evenly; the same input gives the same folds."""
    rng = np.random.default_rng(SEED)
    fold = np.empty(len(labels), dtype=np.intp)
    array = np.asarray(labels)
    for label in sorted(set(labels)):
        rows = rng.permutation(np.flatnonzero(array == label))
        fold[rows] = np.arange(len(rows)) % count
    return [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(count)]


def fit_temperature(logits_at_one: Floats, truth: NDArray[np.intp]) -> float:
    """Temperature with the least held-out negative log-likelihood. Input: log-probabilities at T = 1 [n, labels]."""
    losses = [_loss(logits_at_one / t, truth) for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def _loss(logits: Floats, truth: NDArray[np.intp]) -> float:
    top = logits.max(axis=1, keepdims=True)
    norm = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0]
    return float(np.mean(norm - logits[np.arange(len(truth)), truth]))
