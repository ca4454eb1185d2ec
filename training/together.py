"""Parts of a training that know nothing of each other, several at a time: what comes of them is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from retrieval.onnx_encoder import cores

ItemT = TypeVar("ItemT")
T = TypeVar("T")


def together(work: Callable[[ItemT], T], items: Iterable[ItemT], *, threads: int = 0) -> Iterator[T]:
    """`work` of each item, in their order; on `threads`, 0 for one a core. Raises what it raises.

    On matrices of a bot's size threads of linear algebra wait for each other, and one is up to 17 times as fast: it
    takes one here.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), ThreadPoolExecutor(threads or cores(), thread_name_prefix="kefu-part") as pool:
        yield from pool.map(work, items)
