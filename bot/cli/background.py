"""An event loop in a thread of its own, so that the main thread may wait for the keyboard and hear Ctrl-C."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Call(Protocol):
    """Runs a coroutine in the loop and waits for it; an interrupted wait cancels it."""

    def __call__(self, coroutine: Coroutine[Any, Any, T]) -> T: ...


@contextmanager
def background_loop() -> Iterator[Call]:
    """On leaving, what still runs is cancelled and has ended before the thread does."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        thread = threading.Thread(target=loop.run_forever, name="kefu-loop")
        thread.start()

        def call(coroutine: Coroutine[Any, Any, T]) -> T:
            future = asyncio.run_coroutine_threadsafe(coroutine, loop)
            try:
                return future.result()
            finally:
                future.cancel()

        try:
            yield call
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
