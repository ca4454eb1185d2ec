"""Calibrating answers: how likely is it that the entry found is the right one, or that nothing is?

The bot's own phrasings are the data. In each fold some phrasings are held out (the truth is known: their topic), and
some topics are taken out whole (their phrasings become questions that sound like home and have no answer). The bundle
and the head of the fold know neither. Together with out-of-scope examples these give candidates with a known verdict,
to which Platt scaling (Platt 1999) is fitted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from retrieval.bundle import Bundle, build_bundle
from retrieval.search import search
from retrieval.text import tokens
from retrieval.types import Entry, Query
from training.apply import (
    HITS,
    OUT_OF_SCOPE,
    Calibrator,
    Floats,
    Heads,
    IntentHead,
    candidate_features,
    spoken,
    standardised,
)
from training.fit import MAX_TOPICS, SEED, TOPIC_C, C, fit_head, no_head

FOLDS = 4
SHARES = {"answerable": 0.7, "removed": 0.18, "foreign": 0.12}
"""Assumed shares of messages: with an answer, close to home without one, foreign. They set the prior."""
MIN_QUESTIONS = 40
"""Fewer held-out questions than this fit no calibrator: the bot then asks unless intent and retrieval agree."""


@dataclass(frozen=True, slots=True)
class Question:
    """A text with its truth. `key` None: there is no right answer."""

    text: str
    lang: str
    key: str | None
    kind: str


@dataclass(frozen=True, slots=True)
class Material:
    """What a bot folder gives: labelled examples (text, label, language) and entries, with vectors by text."""

    examples: Sequence[tuple[str, str, str]]
    entries: Sequence[Entry]
    vectors: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Judged:
    """Candidates with verdicts: features [n, F], truth [n] (1 right), weight [n], question number [n]."""

    features: Floats
    truth: Floats
    weight: Floats
    question: Floats


def training_rows(
    examples: Iterable[tuple[str, str, str]], entries: Iterable[Entry]
) -> list[tuple[str, str]]:
    """(text, label) for the head: the examples, each stored phrasing under its entry's intent, names of intents."""
    rows = [(text, label) for text, label, _ in examples]
    rows += [(phrase, e.intent) for e in entries if e.intent for phrase in e.phrases]
    return list(dict.fromkeys([*rows, *spoken(label for _, label in rows)]))


def topic_rows(examples: Iterable[tuple[str, str, str]], entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """(text, key) for the topic head: all texts of each answer, and what is out of scope. Empty: no head."""
    if not 2 <= len({e.key for e in entries}) <= MAX_TOPICS:
        return []
    rows = [(text, e.key) for e in entries for text in e.texts]
    return rows + [(text, OUT_OF_SCOPE) for text, label, _ in examples if label == OUT_OF_SCOPE]


def heads_for(
    material: Material,
    entries: Sequence[Entry],
    skip: frozenset[str],
    *,
    like: IntentHead,
) -> Heads:
    """Heads that have seen neither the texts in `skip` nor entries beyond `entries`; not calibrated.

    Temperature and share of words are those of `like`.
    """
    intent = _fit(material, training_rows(material.examples, entries), skip, c=C, words=True)
    topic = topic_head(material, entries, skip)
    scaled = replace(intent, temperature=like.temperature, share=like.share)
    return Heads("", scaled, topic, None)


def topic_head(
    material: Material, entries: Sequence[Entry], skip: frozenset[str] = frozenset()
) -> IntentHead:
    """The head over stored answers, of the texts that are not in `skip`."""
    return _fit(material, topic_rows(material.examples, entries), skip, c=TOPIC_C, words=False)


def _fit(
    material: Material, rows: Sequence[tuple[str, str]], skip: frozenset[str], *, c: float, words: bool
) -> IntentHead:
    rows = [row for row in rows if row[0] not in skip]
    if not rows:
        return no_head(len(next(iter(material.vectors.values()))))
    texts, labels = [text for text, _ in rows], [label for _, label in rows]
    vectors = np.stack([material.vectors[text] for text in texts])
    return fit_head(vectors, labels, texts if words else None, c=c)


def split(material: Material, fold: int) -> tuple[list[Entry], list[Question]]:
    """Entries that stay in this fold's bundle, and the questions that it is asked."""
    keys = sorted({e.key for e in material.entries})
    order = np.random.default_rng(SEED).permutation(len(keys))
    removed = {keys[i] for place, i in enumerate(order) if place % FOLDS == fold}
    kept, asked = [], []
    for entry in material.entries:
        if entry.key in removed:
            asked += [Question(p, entry.lang, None, "removed") for p in entry.phrases]
            continue
        stay = [p for n, p in enumerate(entry.phrases) if n % FOLDS != fold] or list(entry.phrases)
        out = [p for p in entry.phrases if p not in stay]
        asked += [Question(p, entry.lang, entry.key, "answerable") for p in out]
        kept.append(replace(entry, question=stay[0], alternatives=tuple(stay[1:])))
    foreign = [(t, lang) for t, label, lang in material.examples if label == OUT_OF_SCOPE]
    asked += [Question(t, lang, None, "foreign") for t, lang in foreign[fold::FOLDS]]
    return kept, asked


def judge(material: Material, *, like: IntentHead) -> Iterator[Judged]:
    """Verdicts of each fold, one after the other, by heads scaled as `like` is."""
    for fold in range(FOLDS):
        kept, asked = split(material, fold)
        if not kept or not asked:
            continue
        heads = heads_for(material, kept, frozenset(q.text for q in asked), like=like)
        with tempfile.TemporaryDirectory(prefix="kefu-fold-") as place:
            bundle = build_bundle(
                Path(place) / "bundle", kept, material.vectors, encoder_fingerprint="fold", revision=fold
            )
            yield _ask(bundle, heads, asked, material.vectors)
            bundle.close()


def _ask(bundle: Bundle, heads: Heads, asked: Sequence[Question], vectors: Mapping[str, Floats]) -> Judged:
    readings = heads.read(np.stack([vectors[q.text] for q in asked]), [q.text for q in asked])
    rows, truth, kinds, numbers = [], [], [], []
    for number, (question, reading) in enumerate(zip(asked, readings, strict=True)):
        hits = search(bundle, Query(question.text, vectors[question.text], question.lang), k=HITS)
        terms = len(tokens(question.text))
        rows.append(candidate_features(hits, reading=reading, terms=terms, lang=question.lang))
        truth += [float(h.entry.key == question.key) for h in hits]
        kinds += [question.kind] * len(hits)
        numbers += [number] * len(hits)
    return Judged(
        np.concatenate(rows), np.array(truth, np.float32), _weights(kinds), np.array(numbers, np.float32)
    )


def _weights(kinds: Sequence[str]) -> Floats:
    """Each kind of question gets its assumed share of the whole."""
    names = np.asarray(kinds)
    weight = np.zeros(len(names), dtype=np.float32)
    for kind, share in SHARES.items():
        here = names == kind
        if here.any():
            weight[here] = share * len(names) / here.sum()
    return weight


def fit_calibrator(folds: Sequence[Judged]) -> Calibrator | None:
    """None where there are too few questions, or all verdicts are the same."""
    if sum(len(set(f.question)) for f in folds) < MIN_QUESTIONS:
        return None
    features = np.concatenate([f.features for f in folds])
    truth = np.concatenate([f.truth for f in folds])
    if len(set(truth)) < 2:
        return None
    return _platt(features, truth, np.concatenate([f.weight for f in folds]))


def _platt(features: Floats, truth: Floats, weight: Floats) -> Calibrator:
    from sklearn.linear_model import LogisticRegression

    centre = (_means(features[truth == 1]) + _means(features[truth == 0])) / np.float32(2)
    scale = np.sqrt(_means((features - _means(features)) ** 2)) + np.float32(1e-6)
    model = LogisticRegression(C=1.0, max_iter=500)
    model.fit(standardised(features, centre, scale), truth, sample_weight=weight)
    return Calibrator(centre, scale, model.coef_[0].astype(np.float32), float(model.intercept_[0]))


def _means(features: Floats) -> Floats:
    """float32 [F], of what is a number; 0 where nothing is."""
    known = ~np.isnan(features)
    means: Floats = np.where(known, features, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return means.astype(np.float32)


def summary(folds: Sequence[Judged], calibrator: Calibrator) -> dict[str, float]:
    """Figures for the card, from folds that the calibrator did not see (leave one fold out)."""
    from sklearn.metrics import brier_score_loss, roc_auc_score

    scores, truths, weights = [], [], []
    for n, fold in enumerate(folds):
        other = fit_calibrator([f for m, f in enumerate(folds) if m != n]) or calibrator
        best, right, weight = _best(fold, other.confidence(fold.features))
        scores += best
        truths += right
        weights += weight
    return {
        "auroc": float(roc_auc_score(truths, scores, sample_weight=weights)),
        "brier": float(brier_score_loss(truths, scores, sample_weight=weights)),
        "right_first": float(np.average(truths, weights=weights)),
    }


def _best(fold: Judged, confidence: Floats) -> tuple[list[float], list[float], list[float]]:
    """The surest candidate of each question."""
    best: dict[float, int] = {}
    for row, number in enumerate(fold.question):
        if number not in best or confidence[row] > confidence[best[number]]:
            best[number] = row
    rows = list(best.values())
    return (
        [float(confidence[r]) for r in rows],
        [float(fold.truth[r]) for r in rows],
        [float(fold.weight[r]) for r in rows],
    )
