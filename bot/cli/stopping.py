"""Ctrl-C and SIGTERM in commands that take long: both end them in the same way."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

STOPPED = (KeyboardInterrupt, asyncio.CancelledError)
"""What comes out of a command that was stopped, by either."""


@contextmanager
def sigterm_as_ctrl_c() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt inside, also between steps that are followed by `until_stopped`."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def until_stopped(steps: Coroutine[Any, Any, T]) -> T:
    """SIGTERM as Ctrl-C: a child keeps its last checkpoint and ends before we do; nothing is left lying about."""

    async def follow() -> T:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await steps

    before = signal.getsignal(signal.SIGTERM)
    try:
        return asyncio.run(follow())
    finally:
        signal.signal(signal.SIGTERM, before)  # a loop that ends leaves the system's own
