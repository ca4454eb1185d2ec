"""Calibrating answers: how likely is it that the entry found is the right one, or that nothing is?

The bot's own phrasings are the data. In each fold some phrasings are held out (the truth is known: their topic), and
some topics are taken out whole (their phrasings become questions that sound like home and have no answer). The bundle
and the head of the fold know neither. Together with out-of-scope examples these give candidates with a known verdict,
to which a conditional logit (`training.apply.Calibrator`) is fitted: of a message's candidates one is right, or none.

What the encoder was trained on it knows by heart: such a text is not asked, where enough others are left.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.bundle import Bundle, build_bundle
from retrieval.search import search_all
from retrieval.text import tokens
from retrieval.types import Entry, Query
from training.answerable import own_features
from training.apply import (
    FLOOR,
    HITS,
    OUT_OF_SCOPE,
    Calibrator,
    Floats,
    Found,
    Groups,
    Heads,
    IntentHead,
    candidate_features,
    spoken,
    standardised,
)
from training.choice import Choices, fit_choice
from training.fit import MAX_TOPICS, SEED, TOPIC_C, C, fit_head, no_head
from training.fit_words import Counted
from training.together import together
from training.trained import text_id

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
    trained: frozenset[str] = frozenset()
    """Ids (`training.trained`) of the texts that the encoder was trained on."""
    slips: Mapping[str, str] = field(default_factory=dict)
    """What is read of texts that are asked with a slip of the keyboard in them; there is a vector of that form too."""
    known: Counted | None = None
    """Counts of all texts that a head may learn from, where several are made."""

    @property
    def unseen(self) -> frozenset[str] | None:
        """Texts to judge by, as the encoder was not trained on them; None: all, as it was on none, or on too many."""
        if not self.trained:
            return None
        phrases = {phrase for entry in self.entries for phrase in entry.phrases}
        texts = {text for text in {*phrases, *(t for t, _, _ in self.examples)} if not self._learned(text)}
        return frozenset(texts) if len(texts & phrases) >= MIN_QUESTIONS else None

    def _learned(self, text: str) -> bool:
        return text_id(text) in self.trained


def _nothing(_: int) -> Floats:
    return np.zeros(0, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Judged:
    """Candidates with verdicts: features [n, F], truth [n] (1 right), question number [n].

    `asked`: the questions, by number. To some nothing was found. `keys` [n]: topics; `foreign` [questions, 2]: how
    foreign each looks; `own`: float32 [OWN] of a row, what else `training.answerable` looks at. That is made out
    when it is asked for, which is for one candidate in ten.
    """

    features: Floats
    truth: Floats
    question: Floats
    asked: Sequence[Question]
    keys: Sequence[str]
    foreign: Floats
    own: Callable[[int], Floats] = _nothing

    @property
    def groups(self) -> Groups:
        numbers = self.question.astype(np.int64)
        ends = numbers.searchsorted(np.arange(len(self.asked) + 1)).tolist()
        return Groups.of([self.keys[start:end] for start, end in pairwise(ends)], self.foreign)


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
    return fit_head(vectors, labels, texts if words else None, c=c, known=material.known)


def split(
    material: Material, fold: int, unseen: frozenset[str] | None = None
) -> tuple[list[Entry], list[Question]]:
    """Entries that stay in this fold's bundle, and the questions that it is asked: of `unseen`, where that is given."""
    keys = sorted({e.key for e in material.entries})
    order = np.random.default_rng(SEED).permutation(len(keys))
    removed = {keys[i] for place, i in enumerate(order) if place % FOLDS == fold}
    asked_in = _folds(material.entries, unseen)
    kept, asked = [], []
    for entry in material.entries:
        if entry.key in removed:
            askable = entry.phrases if unseen is None else [p for p in entry.phrases if p in unseen]
            asked += [Question(p, entry.lang, None, "removed") for p in askable]
            continue
        stay = [p for p in entry.phrases if asked_in.get((entry.key, entry.lang, p)) != fold]
        stay = stay or list(entry.phrases)
        out = [p for p in entry.phrases if p not in stay]
        asked += [Question(p, entry.lang, entry.key, "answerable") for p in out]
        kept.append(replace(entry, question=stay[0], alternatives=tuple(stay[1:])))
    foreign = [(t, lang) for t, label, lang in material.examples if label == OUT_OF_SCOPE]
    strange = foreign if unseen is None else [row for row in foreign if row[0] in unseen] or foreign
    asked += [Question(t, lang, None, "foreign") for t, lang in strange[fold::FOLDS]]
    return kept, asked


def _folds(entries: Sequence[Entry], unseen: frozenset[str] | None) -> dict[tuple[str, str, str], int]:
    """In which fold a phrasing is held out. Of those that are left some answers have one only: they are dealt out."""
    if unseen is None:
        return {(e.key, e.lang, p): n % FOLDS for e in entries for n, p in enumerate(e.phrases)}
    left = sorted({(e.key, e.lang, p) for e in entries for p in e.phrases if p in unseen})
    return {place: n % FOLDS for n, place in enumerate(left)}


def judge(material: Material, *, like: IntentHead, threads: int = 1) -> Iterator[Judged]:
    """Verdicts of each fold, in order, by heads scaled as `like` is."""
    unseen = material.unseen

    def judged(fold: int) -> Judged | None:
        kept, asked = split(material, fold, unseen)
        if not kept or not asked:
            return None
        heads = heads_for(material, kept, frozenset(q.text for q in asked), like=like)
        with tempfile.TemporaryDirectory(prefix="kefu-fold-") as place:
            bundle = build_bundle(
                Path(place) / "bundle", kept, material.vectors, encoder_fingerprint="fold", revision=fold
            )
            try:
                return _ask(bundle, heads, asked, material)
            finally:
                bundle.close()

    found = together(judged, range(FOLDS), threads=threads)
    return (one for one in found if one is not None)


def _ask(bundle: Bundle, heads: Heads, asked: Sequence[Question], material: Material) -> Judged:
    said = [material.slips.get(question.text, question.text) for question in asked]
    vectors = [material.vectors[text] for text in said]
    langs, keys = [question.lang for question in asked], [question.key for question in asked]
    readings = heads.read(np.stack(vectors), said)
    hits = search_all(bundle, list(map(Query, said, vectors, langs)), k=HITS)
    found = list(map(Found, hits, readings, (len(tokens(text)) for text in said), langs))
    rows = [(text, hit) for text, part in zip(said, hits, strict=True) for hit in part]
    lexicon = bundle.contents.lexical
    topics = [[hit.entry.key for hit in part] for part in hits]
    truth = [topic == key for part, key in zip(topics, keys, strict=True) for topic in part]
    return Judged(
        candidate_features(found),
        np.array(truth, np.float32),
        np.arange(len(asked), dtype=np.float32).repeat([len(part) for part in hits]),
        asked,
        [topic for part in topics for topic in part],
        np.array([reading.foreignness for reading in readings], np.float32),
        lambda row: own_features(*rows[row], lexicon),
    )


def weights(kinds: Iterable[str], shares: Mapping[str, float]) -> NDArray[np.float64]:
    """float64 [n]: each kind of question gets its share of the whole."""
    names = np.array(list(kinds), dtype=np.str_)
    found = np.ones(len(names))
    for kind, share in shares.items():
        here = names == kind
        if here.any():
            found[here] = share * len(names) / here.sum()
    return found


def fit_calibrator(folds: Sequence[Judged]) -> Calibrator | None:
    """None where there are too few questions, or all verdicts are the same."""
    if sum(len(set(f.question)) for f in folds) < MIN_QUESTIONS:
        return None
    truth = np.concatenate([f.truth for f in folds])
    if len(set(truth)) < 2:
        return None
    features = np.concatenate([f.features for f in folds])
    centre = (_means(features[truth == 1]) + _means(features[truth == 0])) / np.float32(2)
    scale = np.sqrt(_means((features - _means(features)) ** 2)) + np.float32(1e-6)
    first = np.cumsum([0, *(len(fold.asked) for fold in folds)])
    asked = [fold.question.astype(np.int64) + n for fold, n in zip(folds, first[:-1], strict=True)]
    foreign = np.concatenate([fold.foreign for fold in folds])
    choices = Choices(
        standardised(features, centre, scale).astype(np.float64),
        np.insert(np.log(foreign + FLOOR, dtype=np.float64), 2, 1.0, axis=1),
        np.concatenate(asked),
        truth.astype(np.float64),
        weights([question.kind for fold in folds for question in fold.asked], SHARES),
    )
    return Calibrator(centre, scale, *fit_choice(choices))


def _means(features: Floats) -> Floats:
    """float32 [F], of what is a number; 0 where nothing is."""
    known = ~np.isnan(features)
    means: Floats = np.where(known, features, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return means.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How sure the bot would be of its best answer to a question that nothing was learned from; whether it is right."""

    question: Question
    sure: float
    right: bool


def summary(told: Sequence[Verdict]) -> dict[str, float]:
    """Figures for the card."""
    from sklearn.metrics import brier_score_loss, roc_auc_score

    sure, right = [one.sure for one in told], [one.right for one in told]
    shares = weights([one.question.kind for one in told], SHARES)
    return {
        "auroc": float(roc_auc_score(right, sure, sample_weight=shares)),
        "brier": float(brier_score_loss(right, sure, sample_weight=shares)),
        "right_first": float(np.average(right, weights=shares)),
    }


Confident = Sequence[tuple[Judged, Floats]]
"""Folds, and how sure of their candidates is who did not see them."""


def verdicts(judged: Confident) -> Iterator[Verdict]:
    """Of every question."""
    for fold, confidence in judged:
        best = best_rows(fold, confidence)
        for number, question in enumerate(fold.asked):
            row = best.get(number)
            found = (0.0, False) if row is None else (float(confidence[row]), bool(fold.truth[row]))
            yield Verdict(question, *found)


def held_out(folds: Sequence[Judged], calibrator: Calibrator | None, *, threads: int = 1) -> Confident:
    """Each fold, and confidences of a calibrator that is fitted to the others, where they are enough for one. Without
    any nothing is sure.
    """
    if calibrator is None:
        return [(fold, np.zeros_like(fold.truth)) for fold in folds]

    def without(number: int) -> Calibrator:
        return fit_calibrator([f for n, f in enumerate(folds) if n != number]) or calibrator

    others = together(without, range(len(folds)), threads=threads)
    return [
        (fold, one.confidence(fold.features, fold.groups)) for fold, one in zip(folds, others, strict=True)
    ]


def best_rows(fold: Judged, confidence: Floats) -> dict[int, int]:
    """The surest candidate's row, by number of the question."""
    best: dict[int, int] = {}
    for row, number in enumerate(fold.question.astype(np.int64).tolist()):
        if number not in best or confidence[row] > confidence[best[number]]:
            best[number] = row
    return best
