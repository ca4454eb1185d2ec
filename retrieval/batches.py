"""How texts are put together for the encoder's graph: what one run takes, and what goes on at once. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

MAX_BATCH = 32
MAX_TOKENS = 512
"""Padding included. Larger batches are no faster (measured from 256 up) and hold memory: 512 tokens take 75 MB, and as
many batches run at once as there are threads.
"""
RUN = 16
"""What one more run of the graph costs, in tokens, since it reads all weights again: 4.1 ms, a token .25 ms. A batch
holds no more padding than that, and is not split for the threads' sake where that gains less.
"""

Batch = list[int]
"""Numbers of texts, by rising length."""


def batches(lengths: Sequence[int]) -> Iterator[Batch]:
    """Batches of similar length: at most MAX_BATCH texts, MAX_TOKENS, RUN tokens of padding."""
    batch: Batch = []
    total = 0
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        padded = (len(batch) + 1) * lengths[row]
        wasteful = padded - total - lengths[row] > RUN
        if batch and (len(batch) == MAX_BATCH or padded > MAX_TOKENS or wasteful):
            yield batch
            batch, total = [], 0
        batch.append(row)
        total += lengths[row]
    if batch:
        yield batch


def longest_first(texts: Sequence[str]) -> list[int]:
    """Numbers of many texts in the order in which to read them: texts of one length share batches, and who is told the
    time that is left by what was done waits no longer than that.
    """
    return sorted(range(len(texts)), key=lambda number: len(texts[number]), reverse=True)


def shares(lengths: Sequence[int], threads: int) -> list[Batch]:
    """`batches`, the largest first, for threads that each take the next one.

    Unless it is one text, none is much more than a fair share.
    """

    def cost(batch: Batch) -> int:
        return len(batch) * lengths[batch[-1]] + RUN

    found = sorted(batches(lengths), key=cost, reverse=True)
    fair = sum(map(cost, found)) / threads
    while found and len(found[0]) > 1 and cost(found[0]) > fair + RUN:
        whole = found.pop(0)
        half = len(whole) // 2
        found = sorted((whole[:half], whole[half:], *found), key=cost, reverse=True)
    return found
