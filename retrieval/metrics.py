"""How good a ranking is: recall at k and mean reciprocal rank, over questions with known answers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence, Set


def recall_at(ranked: Sequence[Sequence[Hashable]], right: Sequence[Set[Hashable]], k: int) -> float:
    """Share (0..1) of questions with a right answer among the first k. 0 for no questions.

    `ranked`: for each question what was found, best first; `right`: for each question all that would be right.
    """
    found = [not wanted.isdisjoint(answers[:k]) for answers, wanted in zip(ranked, right, strict=True)]
    return sum(found) / len(found) if found else 0.0


def mean_reciprocal_rank(ranked: Sequence[Sequence[Hashable]], right: Sequence[Set[Hashable]]) -> float:
    """Mean over questions of 1 / place of the first right answer, 0 where there is none (0..1)."""
    shares = [_reciprocal(answers, wanted) for answers, wanted in zip(ranked, right, strict=True)]
    return sum(shares) / len(shares) if shares else 0.0


def _reciprocal(answers: Sequence[Hashable], wanted: Set[Hashable]) -> float:
    return next((1 / place for place, answer in enumerate(answers, 1) if answer in wanted), 0.0)
