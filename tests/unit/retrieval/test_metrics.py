from __future__ import annotations

import pytest

from retrieval.metrics import mean_reciprocal_rank, recall_at

RANKED = [["a", "b", "c"], ["b", "a"], []]
RIGHT = [{"a"}, {"a", "z"}, {"a"}]


def test_recall_counts_questions_with_a_right_answer_among_the_first() -> None:
    assert recall_at(RANKED, RIGHT, 1) == pytest.approx(1 / 3)
    assert recall_at(RANKED, RIGHT, 2) == pytest.approx(2 / 3)


def test_reciprocal_ranks_are_of_the_first_right_answer() -> None:
    assert mean_reciprocal_rank(RANKED, RIGHT) == pytest.approx((1 + 1 / 2) / 3)


def test_no_questions_score_nothing_and_lists_must_match() -> None:
    assert recall_at([], [], 1) == mean_reciprocal_rank([], []) == 0.0
    with pytest.raises(ValueError, match="shorter"):
        recall_at(RANKED, RIGHT[:1], 1)
