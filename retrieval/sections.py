"""Which entries stand in one section of a document: what a passage is a part of.

Passages of a document name their file in a relative `url`, those of a page of the web their place on it (a text
fragment); they name their section in `question`, with " (2)" from the second passage on (`bot.definition.prose`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote

from retrieval.types import Entry

PLACE = "#:~:text="
"""Between a page's address and the first words of a passage on it: browsers show the page there."""
_PART = re.compile(r"^(?P<path>.*?)(?: \((?P<part>\d+)\))?$", re.DOTALL)


def is_document(entry: Entry) -> bool:
    """Whether it is a passage of a document, and not an answer that somebody wrote as one."""
    return entry.url is not None and ("://" not in entry.url or PLACE in entry.url)


def document(entry: Entry) -> str | None:
    """The name of the file that a passage comes from; None of other entries: they link to pages, or to nothing."""
    if entry.url is None or "://" in entry.url:
        return None
    return PurePosixPath(unquote(entry.url.partition("#")[0])).name


def place(entry: Entry) -> str:
    """Where in its file a passage stands: a page, or a sheet with its row; "" where that is not known."""
    return unquote((entry.url or "").partition("#")[2])


def section_of(entry: Entry) -> str:
    """The path of the headings over a passage, without its number among the section's."""
    found = _PART.match(entry.question)
    return found["path"] if found else entry.question


def sections(entries: Sequence[Entry]) -> Mapping[str, tuple[Entry, ...]]:
    """By id of a passage: all passages of its section, in their order. Sections of one passage are left out."""
    found: defaultdict[tuple[str, str, str], list[tuple[int, Entry]]] = defaultdict(list)
    for entry in entries:
        if is_document(entry) and (said := _PART.match(entry.question)):
            file = (entry.url or "").partition("#")[0]
            found[file, said["path"], entry.lang].append((int(said["part"] or 1), entry))
    whole = [tuple(e for _, e in sorted(some, key=lambda pair: pair[0])) for some in found.values()]
    return {entry.id: section for section in whole if len(section) > 1 for entry in section}
