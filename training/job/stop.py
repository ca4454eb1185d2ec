"""Ctrl-C and SIGTERM in a job: it ends within seconds, and what is done is kept."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """No `Exception`: libraries below catch those."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.strsignal(signum))
        self.code = 128 + signum


class Stop:
    """Raises `Stopped` at once, but between `gently` only where `heed` is called. A second signal waits for nothing."""

    def __init__(self) -> None:
        self.asked: int | None = None
        self._gently = False

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
        again, self.asked = self.asked is not None, signum
        if again or not self._gently:
            raise Stopped(signum)
