"""Fitting an intent head: standardised logistic regression on vectors and a support vector machine on words, weighed
and temperature-scaled on held-out folds. scikit-learn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.apply import Floats, IntentHead
from training.fit_words import Counted, counted, fit_words
from training.together import together

C = 0.1
"""Inverse regularisation after standardisation; chosen on held-out folds of the example bank. On validation splits of
public data .03 is up to half a point better; it makes the bank surer of messages that only sound like its own.
"""
CS = (C, 0.03, 0.3)
"""Tried where examples are all there is to go by; chosen by the likelihood of held-out texts, which on validation
splits of public data found a better one than their accuracy did.
"""
TOPIC_C = 0.03
MAX_TOPICS = 2_000
"""More topics than this get no topic head: it would take minutes, and retrieval has to do."""
FOLDS = 3
TEMPERATURES = np.geomspace(0.1, 10.0, 60)
SHARES = (0.5, 1.0)
"""Tried for the words; chosen with the temperature by the likelihood of held-out texts. Larger ones gain where people
write as the examples do, and mislead where they do not.
"""
SEED = 0


def fit_scaled(
    vectors: Floats,
    labels: Sequence[str],
    texts: Sequence[str],
    *,
    cs: Sequence[float] = (C,),
    held_out: tuple[Floats, Sequence[str], Sequence[str]] | None = None,
    unseen: NDArray[np.bool_] | None = None,
    known: Counted | None = None,
    threads: int = 1,
    done: Callable[[int], None] = lambda _: None,
) -> tuple[IntentHead, float]:
    """float32 [n, dim], n labels, n texts -> the head on all of them, and its accuracy (0..1) on texts held out.

    Those are `held_out` (vectors, labels and texts again) where it is given, else folds, and in these the rows that are
    `unseen` [n], where that is given; `threads` of them at once, and `done` is told how many are through. Of `cs` the
    one is taken that the texts held out are likeliest under.
    """
    if len(set(labels)) < 2:
        return no_head(vectors.shape[1]), 0.0
    known = known or counted(texts)

    def judged(fold: tuple[NDArray[np.intp], NDArray[np.intp]]) -> list[_Held]:
        train, held = fold
        chosen = [labels[i] for i in train], [texts[i] for i in train]
        held = held if unseen is None else held[unseen[held]]
        return _held_out(_fit_each(vectors[train], *chosen, cs, known), vectors, labels, texts, held)

    parts: list[list[_Held]] = []
    for part in together(judged, () if held_out else folds(labels), threads=threads):
        parts.append(part)
        done(len(parts))
    if held_out:
        whole = _fit_each(vectors, labels, texts, cs, known)
        parts.append(_held_out(whole, *held_out, np.arange(len(held_out[1]))))
    found = [_weigh([of_one[place] for of_one in parts], len(set(labels))) for place in range(len(cs))]
    best = min(range(len(cs)), key=lambda place: found[place].loss)
    head = whole[best] if held_out else fit_head(vectors, labels, texts, c=cs[best], known=known)
    share, temperature = found[best].share, found[best].temperature
    return replace(head, share=share, temperature=temperature), found[best].accuracy


def blended(
    head: IntentHead,
    held_out: tuple[Floats, Sequence[str], Sequence[str]],
    *,
    shares: Sequence[float] = SHARES,
) -> tuple[IntentHead, float]:
    """A fitted head, with temperature and share of its words chosen on texts held out (vectors, labels, texts), and
    its accuracy (0..1) there.
    """
    parts = _held_out([head], *held_out, np.arange(len(held_out[1])))
    found = _weigh(parts, len(head.labels), shares)
    return replace(head, share=found.share, temperature=found.temperature), found.accuracy


_Held = tuple[Floats, Floats, NDArray[np.intp]]
"""Log-probabilities of vectors [n, labels], margins of words [n, labels], truth [n]."""


@dataclass(frozen=True, slots=True)
class _Weighed:
    """Share of the words and temperature under which texts held out are likeliest; accuracy (0..1) there."""

    share: float
    temperature: float
    loss: float
    accuracy: float


def _held_out(
    heads: Sequence[IntentHead],
    vectors: Floats,
    labels: Sequence[str],
    texts: Sequence[str],
    held: NDArray[np.intp],
) -> list[_Held]:
    """Of those held-out texts whose label the heads know. They differ in what they make of the vectors alone."""
    first = heads[0]
    rows = np.array([i for i in held if labels[i] in first.places], dtype=np.intp)
    truth = np.array([first.places[labels[i]] for i in rows], dtype=np.intp)
    margins = first.words.margins([texts[i] for i in rows]) if first.words else None
    logs = [head.log_probabilities(vectors[rows]) for head in heads]
    return [(log, np.zeros_like(log) if margins is None else margins, truth) for log in logs]


def _weigh(parts: Sequence[_Held], known: int, shares: Sequence[float] = SHARES) -> _Weighed:
    """With the least held-out negative log-likelihood, over the folds that know all labels. `known`: how many."""
    parts = [part for part in parts if len(part[2])]
    whole = [part for part in parts if part[0].shape[1] == known]
    share, temperature, loss = _likeliest(whole, shares) if whole else (shares[0], 1.0, math.inf)
    right = sum(
        int(((logs + share * margins).argmax(axis=1) == truth).sum()) for logs, margins, truth in parts
    )
    return _Weighed(share, temperature, loss, right / max(sum(len(truth) for _, _, truth in parts), 1))


def _likeliest(parts: Sequence[_Held], shares: Sequence[float]) -> tuple[float, float, float]:
    """(share of the words, temperature, loss)"""
    logs, margins, truth = (np.concatenate(column) for column in zip(*parts, strict=True))
    weighed: dict[float, Floats] = {share: logs + np.float32(share) * margins for share in shares}
    found = [(share, fit_temperature(logits, truth)) for share, logits in weighed.items()]
    judged = [(*pair, _loss(weighed[pair[0]] / pair[1], truth)) for pair in found]
    return min(judged, key=lambda one: one[2])


def fit_head(
    vectors: Floats,
    labels: Sequence[str],
    texts: Sequence[str] | None = None,
    *,
    c: float = C,
    known: Counted | None = None,
) -> IntentHead:
    """float32 [n, dim] and n labels -> head with temperature 1; without labels where all are the same.

    With `texts` their words count as well, by half (see `fit_scaled`); `known`: counts of these and others.
    """
    return _fit_each(vectors, labels, texts, (c,), known)[0]


def _fit_each(
    vectors: Floats,
    labels: Sequence[str],
    texts: Sequence[str] | None,
    cs: Sequence[float],
    known: Counted | None,
) -> list[IntentHead]:
    """A head for each of `cs`; what their words say is the same."""
    if len(set(labels)) < 2:
        return [no_head(vectors.shape[1])] * len(cs)
    words = fit_words(texts, labels, known) if texts is not None else None
    return [replace(_fit_vectors(vectors, labels, c), words=words, share=SHARES[0]) for c in cs]


def _fit_vectors(vectors: Floats, labels: Sequence[str], c: float) -> IntentHead:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    scaler = StandardScaler().fit(vectors)
    model = LogisticRegression(C=c, max_iter=400, tol=1e-3, class_weight="balanced")
    # On matrices of this size threads of linear algebra wait for each other: one is up to 17 times as fast.
    with threadpool_limits(1):
        model.fit(scaler.transform(vectors), labels)
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
