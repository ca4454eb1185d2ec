"""Documents as knowledge: passages with their headings, and sheets that are tables of questions and answers."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from bot.definition.lines import Unreadable
from bot.definition.model import KnowledgeRow, Problem
from bot.definition.rows import Raw, columns, raw_row
from bot.definition.text import one_line
from bot.documents import SUFFIXES, DocumentReader, Flaw, Passage, Record, Unusable
from retrieval.sections import PLACE
from retrieval.types import Entry

JOINT = " › "
"""Between the headings of a path."""
MAX_TITLE = 80
_PAGE_HAN, _PAGE_WORDS = 12, 6
_NUMBERING = re.compile(
    r"^(第[〇零一二三四五六七八九十百\d]+[章节条部分]+|[一二三四五六七八九十]+[、.．]|[（(]\w{1,3}[)）]"
    r"|\d+(\.\d+)+(?=\s)|\d+[.、)](?!\d))\s*"
)
_LETTER = re.compile(r"[^\W\d_]")


def is_document(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def document_rows(
    path: Path, name: str, documents: DocumentReader
) -> Iterator[KnowledgeRow | Problem | tuple[int, str, Raw]]:
    """Passages as rows; a row of a table as (number, sheet, raw).

    `name`: what the document is called among the bot's sources, in keys and citations.
    """
    try:
        found = documents.read(path)
    except Unusable as error:
        yield Problem(str(path), 0, error.message, error.hint)
        return
    sheets = _Sheets(str(path))
    headings = Counter(item.path[-1] for item in found if isinstance(item, Passage) and item.part == 1)
    for item in found:
        if isinstance(item, Record):
            if (row := sheets.row(item)) is not None:
                yield row
        elif isinstance(item, Flaw):
            yield Problem(str(path), 0, item.message, item.hint, minor=True)
        else:
            yield _passage(item, name, str(path), alone=headings[item.path[-1]] == 1)


class _Sheets:
    """The header of each sheet is its first row; a wrong one ends its sheet."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._headers: dict[str, list[str]] = {}

    def row(self, record: Record) -> Problem | tuple[int, str, Raw] | None:
        sheet, line = record.sheet, record.number
        try:
            if sheet not in self._headers:
                self._headers[sheet] = []
                self._headers[sheet] = columns(record.cells, line)
                return None
        except Unreadable as error:
            return self._problem(sheet, error)
        if not (header := self._headers[sheet]):
            return None
        raw = raw_row(header, record.cells, line)
        return self._problem(sheet, raw) if isinstance(raw, Unreadable) else (line, sheet, raw)

    def _problem(self, sheet: str, error: Unreadable) -> Problem:
        return Problem(self._file, error.line, in_sheet(sheet, error.message), error.hint)


def in_sheet(sheet: str, message: str) -> str:
    return f"sheet `{one_line(sheet)}`: {message}"


def _passage(passage: Passage, name: str, file: str, *, alone: bool) -> KnowledgeRow | Problem:
    """`alone`: no other path of the document ends in the same heading."""
    question = JOINT.join(passage.path)
    if passage.lang is None:
        message = f"the language of `{one_line(question)}` cannot be told."
        return Problem(file, 0, message, "Kefu reads Chinese and English.", minor=True)
    mark = f" ({passage.part})" if passage.part > 1 else ""
    told = "\n".join((name, *passage.path, str(passage.part)))
    entry = Entry(
        id="",
        key=hashlib.sha256(told.encode()).hexdigest()[:32],
        lang=passage.lang,
        question=question + mark,
        answer=passage.text,
        title=_title(passage.path) + mark,
        alternatives=_alternatives(passage) if alone else (),
        url=_on_page(passage) if passage.url else _reference(name, passage.place),
    )
    return KnowledgeRow(entry, file, 0, prose=True)


def _alternatives(passage: Passage) -> tuple[str, ...]:
    """The heading by itself, as customers type it: "Refunds". Of a section's passages the first one answers to it."""
    heading = _NUMBERING.sub("", passage.path[-1])
    return (heading,) if passage.part == 1 and len(passage.path) > 1 and _LETTER.search(heading) else ()


def _title(path: tuple[str, ...]) -> str:
    title = JOINT.join(path[-2:])
    return title if len(title) <= MAX_TITLE else path[-1]


def _on_page(passage: Passage) -> str:
    """The page's address, and on it the passage's first words: as few as still find it."""
    start = passage.text.partition("\n")[0]
    words = start[:_PAGE_HAN] if passage.lang == "zh" else " ".join(start.split()[:_PAGE_WORDS])
    return f"{(passage.url or '').partition('#')[0]}{PLACE}{quote(words, safe='').replace('-', '%2D')}"


def _reference(name: str, place: str) -> str:
    """Relative: where the file lies is no customer's business; what it is called is."""
    return quote(name) + (f"#{quote(place, safe='=!')}" if place else "")
