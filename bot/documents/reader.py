"""Documents read with care: parsed in a child process with limits, and remembered by their content."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from bot.documents.model import MAX_BYTES, Found, Unusable
from bot.documents.parse import VERSION
from bot.documents.wire import from_line, to_line

log = logging.getLogger(__name__)

PATIENCE_S = 120
"""Seconds that one file may take."""
MAX_MEMORY = 1536 * 1024 * 1024
"""Address space of the child, in bytes."""
COMMAND = ["-m", "bot.documents"]
KEPT_S = 30 * 24 * 3600
"""What was not asked for so long is forgotten."""


def _environment() -> dict[str, str]:
    """The child finds what its parent finds. Libraries of numbers take no room for threads that nobody needs."""
    alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return {**os.environ, **alone, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class DocumentReader:
    """Blocking. Starts its child with the first file that was not read before; to be closed.

    `memory`: a folder for what was parsed; None remembers nothing. `looks_only`: what it has is used, and it stays
    as it is.
    """

    def __init__(self, memory: Path | None = None, *, looks_only: bool = False) -> None:
        self._memory, self._looks_only = memory, looks_only
        self._child: subprocess.Popen[str] | None = None

    def __enter__(self) -> DocumentReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._end()
        self._forget()

    def read(self, path: Path) -> list[Found]:
        """All that is in one file. Raises Unusable, and whatever goes wrong harms no other file."""
        try:
            if path.stat().st_size > MAX_BYTES:
                return self._parse(path, "")
            name = digest(path)
        except OSError as error:
            raise Unusable(f"cannot be read: {error.strerror or error}.", "Check path and rights.") from None
        if (known := self._recalled(path, name)) is not None:
            return known
        return self._parse(path, name)

    def _parse(self, path: Path, name: str) -> list[Found]:
        log.info("reading %s", path.name)
        found: list[Found] = []
        last: dict[str, Any] = {}
        for line in self._answer(path):
            if line.startswith("{"):
                last = json.loads(line)
                break
            found.append(from_line(line))
        if not last:
            raise self._died()
        if "unusable" in last:
            raise Unusable(*last["unusable"])
        if last["end"] == name:
            self._remember(path, name, found)
        return found

    def _answer(self, path: Path) -> Iterator[str]:
        child = self._started()
        assert child.stdin is not None
        assert child.stdout is not None
        with suppress(BrokenPipeError):
            child.stdin.write(json.dumps(str(path.absolute())) + "\n")
            child.stdin.flush()
        yield from iter(child.stdout.readline, "")

    def _started(self) -> subprocess.Popen[str]:
        if self._child is None:
            self._child = subprocess.Popen(  # noqa: S603 (this very program)
                [sys.executable, *COMMAND],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                text=True, encoding="utf-8", env=_environment(),
            )  # fmt: skip
        return self._child

    def _died(self) -> Unusable:
        assert self._child is not None
        code = self._child.wait()
        self._end()
        if code == -signal.SIGALRM:
            return Unusable(f"takes longer than {PATIENCE_S} s to read.", "Split it, or save it more simply.")
        return Unusable(
            "crashes the program that reads it.", "Open it where it was written, and save it again."
        )

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None

    # What was parsed before -----------------------------------------------------------------------------------------

    def _place(self, path: Path, name: str) -> Path | None:
        if self._memory is None:
            return None
        told = json.dumps([VERSION, path.name, name])
        return self._memory / f"{hashlib.sha256(told.encode()).hexdigest()}.jsonl"

    def _recalled(self, path: Path, name: str) -> list[Found] | None:
        place = self._place(path, name)
        if place is None:
            return None
        try:
            found = [from_line(line) for line in place.read_text("utf-8").splitlines()]
            if not self._looks_only:
                os.utime(place)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found

    def _remember(self, path: Path, name: str, found: list[Found]) -> None:
        """As a whole or not at all; a home that cannot be written only costs time."""
        place = self._place(path, name)
        if place is None or self._looks_only:
            return
        with suppress(OSError):
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, draft = tempfile.mkstemp(dir=place.parent, suffix=".part")
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.writelines(f"{to_line(item)}\n" for item in found)
            Path(draft).replace(place)

    def _forget(self) -> None:
        if self._memory is None or self._looks_only:
            return
        with suppress(OSError):
            for place in self._memory.iterdir():
                if place.stat().st_mtime < time.time() - KEPT_S:
                    place.unlink(missing_ok=True)
