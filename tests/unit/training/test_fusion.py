"""Shares of evidence are learned from questions whose answers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from retrieval.fuse import DEFAULT, Weights
from retrieval.search import gather, search, weigh
from tests.unit.retrieval.samples import ask, build
from training.fusion import Asked, learn_weights, quality

QUESTIONS = {"report a card that is lost": "card-lost", "half the fee in spring": "offer", "9 to 17": "hours"}


def lessons(folder: Path, *, passages: bool = True) -> list[Asked]:
    bundle = build(folder / "b", passages=passages)
    keys = sorted({entry.key for entry in bundle.entries})
    made = []
    for text, key in QUESTIONS.items():
        found = gather(bundle, ask(text))
        own = [bundle.entries[n].key for n in found.numbers.tolist()]
        made.append(Asked(found, np.array([keys.index(k) for k in own]), np.array([k == key for k in own])))
    return made


def test_what_is_gathered_is_what_search_weighs(tmp_path: Path) -> None:
    bundle = build(tmp_path / "b")
    for weights in (DEFAULT, Weights(0.1, 0.6, 0.1, 0.2)):
        for text in QUESTIONS:
            found = gather(bundle, ask(text))
            order = np.argsort(-weigh(found, weights).scores, kind="stable")
            hits = search(bundle, ask(text), 10, weights=weights)
            assert [h.entry for h in hits] == [bundle.entries[n] for n in found.numbers[order].tolist()]


def test_learning_never_makes_the_known_questions_worse(tmp_path: Path) -> None:
    asked = lessons(tmp_path)
    poor = Weights(0.0, 0.3, 0.7, 0.0)
    learned = learn_weights(asked, before=poor)
    assert quality(asked, learned) >= max(quality(asked, poor), quality(asked, DEFAULT) - 1e-9)
    shares = (learned.phrase_dense, learned.phrase_lexical, learned.passage_dense, learned.passage_lexical)
    assert abs(sum(shares) - 1.0) < 1e-6
    assert learned.other_language == poor.other_language


def test_nothing_to_learn_from_changes_nothing(tmp_path: Path) -> None:
    assert learn_weights([]) == DEFAULT
    perfect = [a for a in lessons(tmp_path) if quality([a], DEFAULT) == 1.0]
    assert perfect
    assert learn_weights(perfect) == DEFAULT


def test_without_passages_their_shares_stay(tmp_path: Path) -> None:
    learned = learn_weights(lessons(tmp_path, passages=False))
    assert (
        learned.passage_dense == np.float64(DEFAULT.passage_dense)
        or abs(learned.passage_dense - DEFAULT.passage_dense) < 1e-9
    )
