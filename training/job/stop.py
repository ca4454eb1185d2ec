"""Ctrl-C and SIGTERM in a job: it ends within seconds, and what is done is kept."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN_S = 2.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """No `Exception`: libraries below catch those."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.strsignal(signum))
        self.code = 128 + signum


class Stop:
    """Raises `Stopped` at once, but inside `gently` only where `heed` is called; who asks again waits for nothing."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.asked: int | None = None
        self._gently = False
        self._clock, self._at = clock, 0.0

    @contextmanager
    def watched(self) -> Iterator[None]:
        before = {signum: signal.signal(signum, self._on_signal) for signum in _SIGNALS}
        try:
            yield
        finally:
            for signum, handler in before.items():
                signal.signal(signum, handler)

    @contextmanager
    def gently(self) -> Iterator[None]:
        """What is inside keeps its work before it heeds."""
        self._gently = True
        try:
            yield
        finally:
            self._gently = False

    def heed(self) -> None:
        if self.asked is not None:
            raise Stopped(self.asked)

    def _on_signal(self, signum: int, _: FrameType | None) -> None:
        now = self._clock()
        first, self._at = self.asked is None, now if self.asked is None else self._at
        self.asked = signum if first else self.asked
        # A terminal's Ctrl-C comes twice: from the terminal, and from the command that started this job.
        if (first and not self._gently) or now - self._at > AGAIN_S:
            raise Stopped(signum)
