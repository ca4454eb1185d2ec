"""Spreadsheets: a sheet with the columns `question` and `answer` is a table of those, any other one a document."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.cell.read_only import EmptyCell, ReadOnlyCell

from bot.documents.model import COLUMNS_IN_CHINESE, Block, Flaw, Heading, Record, Text
from bot.documents.packed import check_packed
from bot.documents.passages import called
from bot.documents.tables import looks_like_head, sentence

MAX_COLUMNS = 100
_UNNAMED = re.compile(r"(sheet|工作表|表)\s*\d*", re.I)
_NEEDED = {"question", "answer"}
Row = tuple[int, list[str]]
_FORMULA = re.compile(rb"(?:</f>|<f[^>]*/>)(?:<v\s*/>|<v></v>)?</c>")
AnyCell = Cell | MergedCell | ReadOnlyCell | EmptyCell


def read_xlsx(path: Path) -> Iterator[Block]:
    check_packed(path, "xl/workbook.xml")
    if count := _uncomputed(path):
        message = f"{count} formulas have no stored result and are left out."
        yield Flaw(message, "Open it in a spreadsheet program, and save it again.")
    book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
    try:
        # A workbook is the whole, also where it has one sheet.
        yield Heading(1, book.properties.title or called(path))
        seen = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        for sheet in seen:
            # Some programs state a size that is not so.
            sheet.reset_dimensions()
            heading = "" if len(seen) == 1 and _UNNAMED.fullmatch(sheet.title) else sheet.title
            yield from _sheet(sheet.title, heading, _rows(sheet.iter_rows(max_col=MAX_COLUMNS)))
    finally:
        book.close()


def _uncomputed(path: Path) -> int:
    """Formulas as programs write them that do not compute: what they come to is not in the file."""
    with zipfile.ZipFile(path) as package:
        sheets = [name for name in package.namelist() if name.startswith("xl/worksheets/sheet")]
        return sum(len(_FORMULA.findall(package.read(name))) for name in sheets)


def _rows(rows: Iterator[Sequence[AnyCell]]) -> Iterator[Row]:
    for number, row in enumerate(rows, 1):
        cells = [_written(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield number, cells


def _sheet(name: str, heading: str, rows: Iterator[Row]) -> Iterator[Block]:
    first = next(rows, None)
    if first is None:
        return
    heads = {cell.strip().lower() for cell in first[1]}
    if {COLUMNS_IN_CHINESE.get(head, head) for head in heads} >= _NEEDED:
        yield Record(name, first[0], tuple(first[1]))
        for number, cells in rows:
            yield Record(name, number, tuple(cells))
    else:
        yield Heading(2, heading)
        yield from _prose(name, first, rows)


def _prose(sheet: str, first: Row, rows: Iterator[Row]) -> Iterator[Block]:
    """A lone cell above a table is its heading, a lone cell elsewhere a remark; each table has its own head."""
    head: list[str] | None = None
    lone: tuple[int, str] | None = None
    for number, cells in (first, *rows):
        filled = [cell for cell in cells if cell]
        if len(filled) == 1:
            if lone:
                yield Text(lone[1], _place(sheet, lone[0]))
            lone = (number, filled[0])
            continue
        if lone:
            if looks_like_head(cells):
                yield Heading(3, lone[1])
                head = None
            else:
                yield Text(lone[1], _place(sheet, lone[0]))
            lone = None
        if head is None:
            head = cells if looks_like_head(cells) else []
            if head:
                continue
        yield Text(sentence(head, cells), _place(sheet, number))
    if lone:
        yield Text(lone[1], _place(sheet, lone[0]))


def _place(sheet: str, number: int) -> str:
    return f"{sheet}!{number}"


def _written(cell: AnyCell) -> str:
    """As a person reads it in the sheet."""
    value = cell.value if cell.data_type != "e" else None
    if value is None or isinstance(value, str):
        return " ".join((value or "").split()) if "\n" not in (value or "") else str(value).strip()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, int | float):
        return _number(value, cell.number_format or "")
    return str(value)


def _number(value: float, shape: str) -> str:
    if "%" in shape:
        return f"{value * 100:.10g}%"
    text = f"{value:.12g}"
    sign = next((sign for sign in "¥￥$€£" if sign in shape), "")
    return sign + text
