"""Words beside the vector: n-grams of both languages, and a head that reads them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.inference.release import Lesson
from retrieval.testing import HashEncoder
from tests.unit.retrieval.samples import LOST_EN
from training.apply import Heads, load_heads, save_heads, spoken
from training.calibrate import training_rows
from training.fit import fit_head, fit_scaled, no_head
from training.fit_words import RARE, counted, fit_words
from training.words import grams

TEXTS = [
    "open an account",
    "open my account now",
    "account opening",
    "close the card",
    "card closing",
    "close it",
]
LABELS = ["open", "open", "open", "close", "close", "close"]


def test_words_neighbours_and_runs_of_characters() -> None:
    assert {"=open", "=an", "=open an", " op", "pen "} <= set(grams("Open an"))
    assert {"=开", "=开 户", "开户", " 开户 "} <= set(grams("开户"))
    assert grams("") == []
    assert grams("ＯＰＥＮ") == grams("open")


def test_the_name_of_an_intent_is_an_example_but_not_of_what_is_out_of_scope() -> None:
    assert spoken(["card_lost", "fees", "out_of_scope", "fees"]) == [
        ("card lost", "card_lost"),
        ("fees", "fees"),
    ]
    examples = [("my card is gone", "card_lost", "en"), ("who won?", "out_of_scope", "en")]
    rows = training_rows(examples, [replace(LOST_EN, intent="card_lost")])
    assert ("card lost", "card_lost") in rows
    told = Lesson(tuple(examples), (replace(LOST_EN, intent="fees"),), "encoder").texts
    assert {"card lost", "fees"} <= set(told)  # each needs a vector
    assert {text for text, _ in rows} <= set(told)


def test_of_counts_shared_with_other_texts_comes_the_same_head() -> None:
    others = ["an account of the weather", "开户", "zzz"]
    alone, among = fit_words(TEXTS, LABELS), fit_words(TEXTS, LABELS, counted([*others, *TEXTS, *TEXTS]))
    assert alone is not None
    assert among is not None
    assert list(alone.places) == list(among.places)
    assert (alone.idf == among.idf).all()
    assert (alone.weight == among.weight).all()
    assert (alone.bias == among.bias).all()


def test_where_no_two_of_many_texts_have_anything_in_common_there_is_no_head() -> None:
    apart = [chr(ord("가") + n) for n in range(RARE)]
    assert fit_words(apart, ["a", "b"] * (RARE // 2)) is None


def test_numpy_gives_what_scikit_learn_would() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    from training.fit_words import SEED, TOLERANCE, C

    labels = [*LABELS[:4], "other", "other"]
    head = fit_words(TEXTS, labels)
    assert head is not None
    weigher = TfidfVectorizer(analyzer=grams, sublinear_tf=True)
    model = LinearSVC(C=C, tol=TOLERANCE, random_state=SEED).fit(weigher.fit_transform(TEXTS), labels)
    asked = ["open a card card card", "closing", "开户"]
    expected = model.decision_function(weigher.transform(asked))
    assert head.margins(asked) == pytest.approx(expected, abs=1e-4)


def test_two_labels_have_opposite_margins_and_words_without_letters_none() -> None:
    head = fit_words(TEXTS, LABELS)
    assert head is not None
    assert head.margins(["open"])[0].argmax() == 1
    assert head.margins(["open"])[0] == pytest.approx(-head.margins(["open"])[0][::-1], abs=1e-6)
    assert head.margins([]).shape == (0, 2)
    assert fit_words(["", " "], ["a", "b"]) is None


def test_a_scaled_head_weighs_words_and_survives_a_round_trip(tmp_path: Path) -> None:
    texts = [f"{text} {n}" for n in range(5) for text in TEXTS]
    labels = LABELS * 5
    vectors = HashEncoder().encode(texts)
    told: list[int] = []
    head, accuracy = fit_scaled(vectors, labels, texts, done=told.append)
    assert told == [1, 2, 3]
    assert accuracy >= 0.9
    assert head.share > 0
    save_heads(tmp_path, Heads("r", head, fit_head(vectors, labels), None))
    held = load_heads(tmp_path)
    before, after = (h.probabilities(vectors, texts) for h in (head, held.intent))
    assert np.array_equal(before, after)
    assert before.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert held.topic.words is None


def test_the_regularisation_is_the_one_that_held_out_texts_are_likeliest_under() -> None:
    """Half of the labels are wrong: who believes them is surely wrong on other texts, who hardly fits is not."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((90, 16)).astype(np.float32)
    labels = ["a" if x > 0 else "b" for x in vectors[:, 0] + rng.standard_normal(90)]
    texts = ["text"] * 90
    weak, strong = (fit_head(vectors, labels, texts, c=c) for c in (1e3, 1e-2))
    head, _ = fit_scaled(vectors, labels, texts, cs=(1e3, 1e-2))
    assert np.array_equal(head.weight, strong.weight)
    assert not np.array_equal(head.weight, weak.weight)
    head, _ = fit_scaled(vectors, labels, texts, cs=(1e3, 1e-2), held_out=(vectors, labels, texts))
    assert np.array_equal(head.weight, weak.weight)  # it knows them by heart


def test_a_label_that_stands_alone_needs_no_head() -> None:
    vectors = HashEncoder().encode(TEXTS)
    head, accuracy = fit_scaled(vectors, ["same"] * len(TEXTS), TEXTS)
    assert (head.labels, accuracy) == ((), 0.0)
    assert no_head(vectors.shape[1]).probabilities(vectors, TEXTS).shape == (len(TEXTS), 0)
    head, _ = fit_scaled(vectors[:2], ["a", "b"], TEXTS[:2])  # too few for any fold
    assert head.labels == ("a", "b")
