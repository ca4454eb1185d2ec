"""Lines of a file that may be huge, compressed or damaged: bounded memory, no exception but `Unreadable`."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

MAX_LINE = 256 * 1024
"""Bytes of one line."""
_BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_GZIP = b"\x1f\x8b"


class Unreadable(Exception):
    """A line that cannot be had, why, and what to do."""

    def __init__(self, line: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.line, self.message, self.hint = line, message, hint


def read_lines(path: Path) -> Iterator[tuple[int, str | Unreadable]]:
    """(line number from 1, text with its line end), or an `Unreadable` in place of a text.

    Raises `Unreadable` where the rest of the file is lost too.
    """
    number = 0
    try:
        with ExitStack() as stack:
            stream = _open(path, stack)
            while raw := stream.readline(MAX_LINE + 1):
                number += 1
                if number == 1:
                    raw = _first(raw)
                yield number, _decoded(raw, number)
    except (gzip.BadGzipFile, zlib.error, EOFError):
        raise Unreadable(number + 1, "the gzip data is damaged.", "Compress the file again.") from None
    except OSError as error:
        raise Unreadable(
            number, f"cannot be read: {error.strerror or error}.", "Check path and rights."
        ) from None


def _open(path: Path, stack: ExitStack) -> IO[bytes]:
    plain = stack.enter_context(path.open("rb"))
    magic = plain.read(2)
    plain.seek(0)
    return cast(IO[bytes], stack.enter_context(gzip.open(plain))) if magic == _GZIP else plain


def _first(raw: bytes) -> bytes:
    if raw.startswith(_WIDE):
        raise Unreadable(1, "the file is UTF-16.", "Save it as UTF-8.")
    return raw.removeprefix(_BOM)


def _decoded(raw: bytes, number: int) -> str | Unreadable:
    if len(raw) > MAX_LINE:
        raise Unreadable(number, f"the line is longer than {MAX_LINE >> 10} KiB.", "Write one row a line.")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return Unreadable(number, "is not UTF-8 here.", "Save the file as UTF-8.")
