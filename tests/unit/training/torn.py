"""A job that is stopped while it trains, and goes on."""

from __future__ import annotations

import signal
from collections.abc import Callable

from training.progress import Report


def stopped_and_gone_on(run: Callable[[Report], int]) -> None:
    """`run` does the same job twice: the first time it is told to stop as soon as it trains."""
    seen: list[int] = []

    def stop(stage: str, done: int, total: int, text: str) -> None:
        if stage == "training" and done < total and not seen:
            seen.append(done)
            signal.raise_signal(signal.SIGTERM)

    def note(stage: str, done: int, total: int, text: str) -> None:
        if stage == "training":
            seen.append(done)

    assert run(stop) == 143
    assert run(note) == 0
    assert seen[0] < min(seen[1:])
