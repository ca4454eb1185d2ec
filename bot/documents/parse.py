"""One file, parsed in this process: which kind, how large, and what comes of it. Heavy parsers come with their kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import cast

from bot.documents.model import (
    MAX_BYTES,
    MAX_PASSAGES,
    Address,
    Block,
    Flaw,
    Found,
    Heading,
    Record,
    Text,
    Unusable,
)
from bot.documents.passages import called, passages

VERSION = "2"
"""Changes whenever the same file would come to something else."""
SUFFIXES = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".xlsx": "xlsx",
}
"""Ending of the name -> kind."""


def parse(path: Path) -> Iterator[Found]:
    """Passages, rows of tables and flaws, in order. Raises Unusable."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        message = f"is larger than {MAX_BYTES >> 20} MiB."
        raise Unusable(message, "Split it; a table of any length may come as .csv or .jsonl.")
    if not size:
        raise Unusable("is empty.", "Save it again, or remove it.")
    prose: list[Heading | Text | Address] = []
    records = False
    for block in _blocks(path):
        if isinstance(block, Flaw):
            yield block
        elif isinstance(block, Record):
            records = True
            yield block
        else:
            prose.append(block)
    found = list(islice(passages(prose, title=called(path)), MAX_PASSAGES + 1))
    if len(found) > MAX_PASSAGES:
        raise Unusable(f"comes to more than {MAX_PASSAGES} passages.", "Split it into several files.")
    if not found and not records:
        raise Unusable("holds no text.", "Write something, or remove it.")
    yield from found


def _blocks(path: Path) -> Iterator[Block]:
    kind = SUFFIXES[path.suffix.lower()]
    module = import_module(f"bot.documents.{kind}")
    read = cast(Callable[[Path], Iterator[Block]], getattr(module, f"read_{kind}"))
    try:
        yield from read(path)
    except (Unusable, MemoryError):
        raise
    except OSError as error:
        raise Unusable(f"cannot be read: {error.strerror or error}.", "Check path and rights.") from None
    except Exception as error:  # parsers of foreign formats raise whatever they like on damaged files
        hint = "Open it in the program that wrote it, and save it again."
        raise Unusable(f"is damaged ({type(error).__name__}).", hint) from error
