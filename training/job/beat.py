"""Progress at least once a second, however long a library takes."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from training.progress import Report

EVERY_S = 1.0


class Beat:
    """Hands on what it is told, at most ten times a second within a stage, and says it again where nothing comes."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._lock = threading.Lock()
        self._last: tuple[str, int, int, str] | None = None
        self._at = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._repeat, daemon=True)

    def __call__(self, stage: str, done: int, total: int, text: str) -> None:
        with self._lock:
            again = self._last is not None and self._last[0] == stage and done != total
            self._last = (stage, done, total, text)
            if not again or time.monotonic() - self._at >= 0.1:
                self._tell()

    def __enter__(self) -> Beat:
        self._thread.start()
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _tell(self) -> None:
        if self._last is not None:
            self._report(*self._last)
            self._at = time.monotonic()

    def _repeat(self) -> None:
        while not self._ended.wait(EVERY_S / 4):
            with self._lock:
                if time.monotonic() - self._at >= EVERY_S * 3 / 4:
                    self._tell()
