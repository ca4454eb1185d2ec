"""Fitting a head on words: a support vector machine over weighted n-grams (`training.words`). scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np

from training.words import WordHead, grams

C = 3.0
RARE = 1_000
"""From so many texts on, n-grams that stand in one text only are left out: they are most of the memory."""
TOLERANCE = 1e-2
"""Where the fit ends: margins of held-out texts differ by .003 at most from those of a hundredth of it, the likeliest
label of none (folds of the example bank), and it takes half as long.
"""
SEED = 0
_LIBLINEAR = Lock()
"""It has one source of random numbers: two fits at once would each take of the other's."""


class Counted:
    """How often each n-gram stands in each of these texts: folds share most of theirs, and to count takes as long as to
    fit. At least one of them has a letter.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        from sklearn.feature_extraction.text import CountVectorizer

        self._rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        counter = CountVectorizer(analyzer=grams, dtype=np.float64)
        self._counts = counter.fit_transform(self._rows)
        self._grams = counter.get_feature_names_out()

    def of(self, texts: Sequence[str], *, fewest: int) -> tuple[Any, list[str]]:
        """Sparse float64 [texts, grams] of some of them, and the n-grams: those that `fewest` of these have."""
        counts = self._counts[[self._rows[text] for text in texts]]
        held = np.flatnonzero(counts.getnnz(axis=0) >= fewest)
        return counts[:, held], self._grams[held].tolist()


def counted(texts: Sequence[str]) -> Counted | None:
    """None where no text has a letter."""
    return Counted(texts) if any(map(grams, texts)) else None


def fit_words(texts: Sequence[str], labels: Sequence[str], known: Counted | None = None) -> WordHead | None:
    """Of two labels or more, sorted. `known`: counts of these texts and others. None where no text has a letter."""
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.svm import LinearSVC

    if (found := known or counted(texts)) is None:
        return None
    counts, names = found.of(texts, fewest=2 if len(texts) >= RARE else 1)
    if not names:
        return None
    weigher, model = TfidfTransformer(sublinear_tf=True), LinearSVC(C=C, tol=TOLERANCE, random_state=SEED)
    rows = weigher.fit_transform(counts)
    with _LIBLINEAR:
        model.fit(rows, labels)
    weight, bias = model.coef_, model.intercept_
    if len(weight) == 1:  # two classes come as one row
        weight, bias = np.vstack([-weight, weight]), np.hstack([-bias, bias])
    return WordHead(
        {gram: row for row, gram in enumerate(names)},
        weigher.idf_.astype(np.float32),
        np.ascontiguousarray(weight.T, dtype=np.float32),
        bias.astype(np.float32),
    )
