"""Texts on their way into runs of the encoder's graph: none is lost, none waits for a thread that has too much."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from retrieval.batches import MAX_BATCH, MAX_TOKENS, RUN, Batch, batches, longest_first, shares

LENGTHS = st.lists(st.integers(min_value=2, max_value=128), max_size=150)
THREADS = st.integers(min_value=1, max_value=32)


def padded(batch: Batch, lengths: Sequence[int]) -> int:
    return len(batch) * max(lengths[row] for row in batch)


@given(LENGTHS)
def test_every_text_is_in_one_batch_and_no_batch_is_mostly_padding(lengths: list[int]) -> None:
    found = list(batches(lengths))
    assert sorted(row for batch in found for row in batch) == list(range(len(lengths)))
    for batch in found:
        assert len(batch) <= MAX_BATCH
        assert padded(batch, lengths) <= MAX_TOKENS
        assert padded(batch, lengths) - sum(lengths[row] for row in batch) <= RUN


@given(LENGTHS, THREADS)
def test_the_largest_share_is_one_text_or_not_much_more_than_a_fair_one(
    lengths: list[int], threads: int
) -> None:
    found = shares(lengths, threads)
    assert sorted(row for share in found for row in share) == list(range(len(lengths)))
    costs = [padded(share, lengths) + RUN for share in found]
    assert costs == sorted(costs, reverse=True)
    fair = sum(padded(batch, lengths) + RUN for batch in batches(lengths)) / threads
    assert not found or len(found[0]) == 1 or costs[0] <= fair + RUN


def test_texts_of_one_length_share_batches_and_one_thread_splits_none() -> None:
    assert [len(batch) for batch in batches([9] * 70)] == [32, 32, 6]
    assert [len(share) for share in shares([9] * 32, 1)] == [32]
    assert [len(share) for share in shares([9] * 32, 2)] == [16, 16]
    assert [len(share) for share in shares([9], 2)] == [1]
    assert shares([], 2) == []


@given(st.lists(st.text(max_size=40), max_size=60))
def test_the_longest_texts_come_first_and_each_once(texts: list[str]) -> None:
    order = longest_first(texts)
    assert sorted(order) == list(range(len(texts)))
    lengths = [len(texts[number]) for number in order]
    assert lengths == sorted(lengths, reverse=True)
