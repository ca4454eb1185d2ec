"""Fitting an intent head: standardised logistic regression on vectors and a support vector machine on words, weighed
and temperature-scaled on held-out folds. scikit-learn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from training.apply import Floats, IntentHead
from training.words import WordHead, grams

C = 0.1
"""Inverse regularisation after standardisation; chosen on held-out folds of the example bank. On validation splits of
public data .03 is up to half a point better; it makes the bank surer of messages that only sound like its own.
"""
TOPIC_C = 0.03
MAX_TOPICS = 2_000
"""More topics than this get no topic head: it would take minutes, and retrieval has to do."""
FOLDS = 3
TEMPERATURES = np.geomspace(0.1, 10.0, 60)
WORD_C = 3.0
SHARES = (0.5, 1.0)
"""Tried for the words; chosen with the temperature by the likelihood of held-out texts. Larger ones gain where people
write as the examples do, and mislead where they do not.
"""
RARE = 1_000
"""From so many texts on, n-grams that stand in one text only are left out: they are most of the memory."""
SEED = 0


def fit_scaled(
    vectors: Floats,
    labels: Sequence[str],
    texts: Sequence[str],
    *,
    held_out: tuple[Floats, Sequence[str], Sequence[str]] | None = None,
    done: Callable[[int], None] = lambda _: None,
) -> tuple[IntentHead, float]:
    """float32 [n, dim], n labels, n texts -> the head on all of them, and its accuracy (0..1) on texts held out.

    Those are `held_out` (vectors, labels and texts again) where it is given, else folds; `done` is told how many folds
    are through.
    """
    if len(set(labels)) < 2:
        return no_head(vectors.shape[1]), 0.0
    parts = []
    for number, (train, held) in enumerate(() if held_out else folds(labels)):
        head = fit_head(vectors[train], [labels[i] for i in train], [texts[i] for i in train])
        parts.append(_held_out(head, vectors, labels, texts, held))
        done(number + 1)
    whole = fit_head(vectors, labels, texts)
    if held_out:
        parts.append(_held_out(whole, *held_out, np.arange(len(held_out[1]))))
    parts = [part for part in parts if len(part[2])]
    share, temperature = _weigh([part for part in parts if part[0].shape[1] == len(whole.labels)])
    right = sum(
        int(((logs + share * margins).argmax(axis=1) == truth).sum()) for logs, margins, truth in parts
    )
    return replace(whole, share=share, temperature=temperature), right / max(sum(len(p[2]) for p in parts), 1)


_Held = tuple[Floats, Floats, NDArray[np.intp]]
"""Log-probabilities of vectors [n, labels], margins of words [n, labels], truth [n]."""


def _held_out(
    head: IntentHead, vectors: Floats, labels: Sequence[str], texts: Sequence[str], held: NDArray[np.intp]
) -> _Held:
    """Of those held-out texts whose label the head knows."""
    place = {label: i for i, label in enumerate(head.labels)}
    rows = np.array([i for i in held if labels[i] in place], dtype=np.intp)
    logs = head.log_probabilities(vectors[rows])
    margins = head.words.margins([texts[i] for i in rows]) if head.words else np.zeros_like(logs)
    return logs, margins, np.array([place[labels[i]] for i in rows], dtype=np.intp)


def _weigh(parts: Sequence[_Held]) -> tuple[float, float]:
    """(share of the words, temperature) with the least held-out negative log-likelihood."""
    if not parts:
        return SHARES[0], 1.0
    logs, margins, truth = (np.concatenate(column) for column in zip(*parts, strict=True))
    weighed: dict[float, Floats] = {share: logs + np.float32(share) * margins for share in SHARES}
    found = [(share, fit_temperature(logits, truth)) for share, logits in weighed.items()]
    return min(found, key=lambda pair: _loss(weighed[pair[0]] / pair[1], truth))


def fit_head(
    vectors: Floats, labels: Sequence[str], texts: Sequence[str] | None = None, *, c: float = C
) -> IntentHead:
    """float32 [n, dim] and n labels -> head with temperature 1; without labels where all are the same.

    With `texts` their words count as well, by half (see `fit_scaled`).
    """
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
        fit_words(texts, labels) if texts is not None else None,
        SHARES[0],
    )


def fit_words(texts: Sequence[str], labels: Sequence[str]) -> WordHead | None:
    """Of two labels or more, sorted. None where no text has a letter."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    if not any(map(grams, texts)):
        return None
    fewest = 2 if len(texts) >= RARE else 1
    weigher = TfidfVectorizer(analyzer=grams, sublinear_tf=True, min_df=fewest, dtype=np.float64)
    model = LinearSVC(C=WORD_C, random_state=SEED).fit(weigher.fit_transform(texts), labels)
    weight, bias = model.coef_, model.intercept_
    if len(weight) == 1:  # two classes come as one row
        weight, bias = np.vstack([-weight, weight]), np.hstack([-bias, bias])
    return WordHead(
        {gram: row for row, gram in enumerate(weigher.get_feature_names_out())},
        weigher.idf_.astype(np.float32),
        np.ascontiguousarray(weight.T, dtype=np.float32),
        bias.astype(np.float32),
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
