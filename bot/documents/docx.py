"""Word documents: headings by style or outline level, lists, tables; hidden and deleted text stays out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import docx
from docx.oxml.ns import qn
from docx.table import Table
from docx.text.hyperlink import Hyperlink
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from bot.documents.model import Block, Heading, Text
from bot.documents.packed import check_packed
from bot.documents.tables import ended, readable

_STYLE = re.compile(r"heading (\d)", re.I)
_CONTENTS = re.compile(r"toc |table of figures", re.I)
_BOLD_LEVEL = 9
"""A short bold line stands for a heading below all real ones."""
_MAX_BOLD = 60
_SENTENCE_END = re.compile(r"[.,;:。，；：]$")


def read_docx(path: Path) -> Iterator[Block]:
    check_packed(path, "word/document.xml")
    document = docx.Document(str(path))
    yield Heading(0, document.core_properties.title or "")
    for part in document.iter_inner_content():
        if isinstance(part, Table):
            yield from map(Text, readable(_cells(part)))
        elif (text := _text(part).strip()) and not _CONTENTS.match(_style(part)):
            yield _block(part, text)


def _block(paragraph: Paragraph, text: str) -> Block:
    if level := _level(paragraph):
        return Heading(level, text)
    if len(text) <= _MAX_BOLD and not _SENTENCE_END.search(text) and _bold(paragraph):
        return Heading(_BOLD_LEVEL, text)
    properties = paragraph._p.pPr
    listed = properties is not None and properties.numPr is not None
    return Text(ended(text) if listed or "List" in _style(paragraph) else text)


def _style(paragraph: Paragraph) -> str:
    return (paragraph.style.name or "") if paragraph.style else ""


def _level(paragraph: Paragraph) -> int:
    """1 to 9; 0 for what is no heading."""
    name = _style(paragraph)
    if name == "Title":
        return 1
    if found := _STYLE.fullmatch(name):
        return min(int(found.group(1)) + 1, _BOLD_LEVEL - 1)
    outline = paragraph._p.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
    value = outline.get(qn("w:val"), "9") if outline is not None else "9"
    return int(value) + 2 if value.isdecimal() and int(value) < _BOLD_LEVEL - 2 else 0


def _bold(paragraph: Paragraph) -> bool:
    runs = [run for run in paragraph.runs if run.text.strip()]
    return bool(runs) and all(run.bold for run in runs)


def _text(paragraph: Paragraph) -> str:
    return "".join(map(_seen, paragraph.iter_inner_content()))


def _seen(part: Run | Hyperlink) -> str:
    if isinstance(part, Hyperlink):
        return "".join(map(_seen, part.runs))
    return "" if part.font.hidden else part.text


def _cells(table: Table) -> Iterator[list[str]]:
    """A merged cell is told once."""
    for row in table.rows:
        cells = {id(cell._tc): " ".join(map(_text, cell.paragraphs)) for cell in row.cells}
        yield list(cells.values())
