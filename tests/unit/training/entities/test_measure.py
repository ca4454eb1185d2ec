"""An entity is right where kind and both ends are."""

from training.entities.measure import Counts, by_kind, count, f1
from training.entities.spec import Span

A, B, SHORT = Span(0, 4, "a"), Span(5, 9, "b"), Span(0, 3, "a")


def test_kind_and_both_ends_must_be_right() -> None:
    assert count([A, B], [A, Span(5, 9, "a")]) == Counts(1, 2, 2)
    assert count([A], [SHORT]) == Counts(0, 1, 1)
    assert count([A], [A, A]) == Counts(1, 1, 1)


def test_micro_f1_counts_entities_not_texts() -> None:
    assert f1([([A, B], [A, B]), ([A], []), ([], [B])]) == 2 * 2 / (3 + 3)
    assert (f1([]), f1([([], [])]), f1([([A], [])])) == (1.0, 1.0, 0.0)
    counted = count([A, B], [A, SHORT, B])
    assert (counted.precision, counted.recall) == (2 / 3, 1.0)


def test_kinds_apart() -> None:
    found = by_kind([([A, B], [A]), ([B], [B, SHORT])])
    assert found == {"a": Counts(1, 1, 2), "b": Counts(1, 2, 1)}
