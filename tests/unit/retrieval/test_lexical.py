from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval.lexical import Lexical

DOCUMENTS = [["lost", "card"], ["open", "card", "card"], [], ["hour"]]


def test_a_rare_term_counts_more_than_a_common_one() -> None:
    lexical = Lexical.build(DOCUMENTS)
    scores = lexical.scores([["lost", "card"]])[0]
    assert scores.argmax() == 0
    assert scores[1] > 0
    assert scores[2] == scores[3] == 0
    assert lexical.weight("lost") > lexical.weight("card")


def test_an_unknown_term_weighs_most_and_scores_nothing() -> None:
    lexical = Lexical.build(DOCUMENTS)
    assert lexical.weight("crypto") > lexical.weight("lost")
    assert not lexical.scores([["crypto"]])[0].any()


def test_repeating_a_term_in_the_message_changes_nothing() -> None:
    lexical = Lexical.build(DOCUMENTS)
    assert np.array_equal(lexical.scores([["card", "card"]])[0], lexical.scores([["card"]])[0])


def test_scores_never_exceed_their_bound() -> None:
    lexical = Lexical.build(DOCUMENTS)
    terms = ["lost", "card", "hour"]
    assert lexical.scores([terms])[0].max() <= lexical.bound(terms)


def test_coverage_is_the_share_of_weight_that_a_row_holds() -> None:
    lexical = Lexical.build(DOCUMENTS)
    covered = lexical.coverage(["lost", "card", "crypto"], np.array([0, 1, 2, 3]))
    whole = sum(map(lexical.weight, ("lost", "card", "crypto")))
    assert covered[0] == pytest.approx((lexical.weight("lost") + lexical.weight("card")) / whole)
    assert covered[1] == pytest.approx(lexical.weight("card") / whole)
    assert covered[2] == covered[3] == 0


def test_several_messages_at_once_are_each_as_alone_and_what_rows_hold_is_what_they_cover() -> None:
    lexical = Lexical.build(DOCUMENTS)
    asked = [["lost", "card"], [], ["crypto"], ["card", "hour", "card", "crypto"]]
    rows = np.arange(4)
    scores, held = lexical.scores_and_held(asked)
    assert np.array_equal(scores, lexical.scores(asked))
    assert scores.shape == held.shape == (4, 4)
    for place, terms in enumerate(asked):
        assert np.array_equal(scores[place], lexical.scores([terms])[0])
        assert np.array_equal(
            held[place] / lexical.bound(dict.fromkeys(terms)), lexical.coverage(terms, rows)
        )


@pytest.mark.parametrize("documents", [DOCUMENTS, [[], []], []])
def test_what_is_saved_is_loaded(documents: list[list[str]], tmp_path: Path) -> None:
    built = Lexical.build(documents)
    built.save(tmp_path / "bm25")
    loaded = Lexical.load(tmp_path / "bm25", len(documents))
    assert np.array_equal(loaded.scores([["card", "lost"]])[0], built.scores([["card", "lost"]])[0])
    assert loaded.weight("card") == built.weight("card")
    assert not list(tmp_path.rglob("*.pkl"))
