"""Lines of a file that may be huge, compressed, damaged or in any usual encoding.

Bounded memory, no exception but `Unreadable`.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

from bot.documents import Encoding, told_encoding
from bot.documents.encoding import SAMPLE

MAX_LINE = 256 * 1024
"""Bytes of one line."""
_GZIP = b"\x1f\x8b"
_REPLACED = "\ufffd"


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
            encoding = told_encoding(stream.read(SAMPLE))
            stream.seek(encoding.mark)
            read = _wide_lines if encoding.wide else _lines
            for text in read(stream, encoding):
                number += 1
                yield number, Unreadable(number, *text.args) if isinstance(text, _Lost) else text
    except _Lost as error:
        raise Unreadable(number + 1, *error.args) from None
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


class _Lost(Exception):
    """(message, hint): a line, or where it is raised all that follows too."""


_TOO_LONG = _Lost(f"the line is longer than {MAX_LINE >> 10} KiB.", "Write one row a line.")


def _lines(stream: IO[bytes], encoding: Encoding) -> Iterator[str | _Lost]:
    while raw := stream.readline(MAX_LINE + 1):
        if len(raw) > MAX_LINE:
            raise _TOO_LONG
        try:
            yield raw.decode(encoding.name)
        except UnicodeDecodeError:
            yield _undecodable(encoding)


def _wide_lines(stream: IO[bytes], encoding: Encoding) -> Iterator[str | _Lost]:
    """UTF-16, where a byte that looks like a line end may be half of a letter."""
    text = io.TextIOWrapper(cast(io.BufferedReader, stream), encoding.name, "replace", newline="\n")
    try:
        while line := text.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE:
                raise _TOO_LONG
            yield _undecodable(encoding) if _REPLACED in line else line
    finally:
        text.detach()


def _undecodable(encoding: Encoding) -> _Lost:
    return _Lost(f"is not {encoding.name.upper()} here.", "Save the file as UTF-8.")
