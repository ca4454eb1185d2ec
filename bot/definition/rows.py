"""From lines and cells to raw rows: JSON lines, CSV, sheets."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from bot.definition import schema
from bot.definition.lines import Unreadable, read_lines
from bot.definition.sentences import suggestion
from bot.definition.text import one_line
from bot.documents import COLUMNS_IN_CHINESE

Raw = dict[str, object]
COLUMNS = tuple(schema.Knowledge.model_fields)
LISTS = ("alternatives", "audience")
_DELIMITERS = (",", "\t", ";")
_FATAL_HEADER = "Use the columns: " + ", ".join(COLUMNS) + "."


_SHAPE = '{"question": ..., "answer": ...}'


def json_rows(path: Path, *, shape: str = _SHAPE) -> Iterator[tuple[int, Raw | Unreadable]]:
    """One JSON object a line; blank lines are passed over; null is the same as absent. `shape`: what to write."""
    for number, text in read_lines(path):
        if isinstance(text, Unreadable):
            yield number, text
        elif text.strip():
            yield number, _object(text, number, f"Write one {shape} a line.")


def _object(text: str, number: int, hint: str) -> Raw | Unreadable:
    try:
        value = _JSON.decode(text)
    except _Twice as error:
        return Unreadable(number, f"the key `{error}` comes twice.", "Remove one of them.")
    except (ValueError, RecursionError) as error:
        why = (
            error.msg if isinstance(error, json.JSONDecodeError) else "nested too deep, or too large a number"
        )
        return Unreadable(number, f"is not JSON: {why}.", hint)
    if not isinstance(value, dict):
        return Unreadable(number, "is not a JSON object.", hint)
    return {key: item for key, item in value.items() if item is not None}


class _Twice(Exception):
    pass


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise _Twice(one_line(key))
        found[key] = value
    return found


_JSON = json.JSONDecoder(object_pairs_hook=_pairs)


class _Lines:
    """Feeds the csv reader, and keeps what was unreadable since the last record."""

    def __init__(self, path: Path) -> None:
        self.lines = read_lines(path)
        self.lost: Unreadable | None = None

    def __iter__(self) -> Iterator[str]:
        for _, text in self.lines:
            if isinstance(text, Unreadable):
                self.lost = self.lost or text
            yield "\n" if isinstance(text, Unreadable) else text


def csv_rows(path: Path) -> Iterator[tuple[int, Raw | Unreadable]]:
    """Records below a header of column names; cells left blank are absent; `|` parts the items of lists.

    The header tells what parts the cells: commas, or tabs and semicolons as spreadsheets write them.
    """
    lines = _Lines(path)
    texts = iter(lines)
    first = next(texts, "")
    reader = csv.reader(chain([first], texts), delimiter=max(_DELIMITERS, key=first.count), strict=True)
    header: list[str] = []
    start = 1
    while True:
        cells = _record(reader, start)
        if cells is None:
            return
        line, start = start, reader.line_num + 1
        if lines.lost:
            yield line, lines.lost
            lines.lost = None
        elif isinstance(cells, Unreadable):
            yield line, cells
        elif not header:
            header = columns(cells, line)
        elif any(cell.strip() for cell in cells):
            yield line, raw_row(header, cells, line)


def _record(reader: Iterator[list[str]], line: int) -> list[str] | Unreadable | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        hint = 'Put "quotes" around cells that hold commas, quotes or line ends.'
        return Unreadable(line, f"is not CSV: {one_line(str(error))}.", hint)


def columns(cells: Sequence[str], line: int) -> list[str]:
    """Names of the columns, which may stand there in Chinese. Without a right header every row would be wrong.

    Raises Unreadable.
    """
    given = [cell.strip().lower() for cell in cells]
    names = [COLUMNS_IN_CHINESE.get(name, name) for name in given]
    for name in names:
        if name not in COLUMNS:
            raise Unreadable(line, f"unknown column `{one_line(name)}`.", suggestion(name, COLUMNS))
        if names.count(name) > 1:
            raise Unreadable(line, f"the column `{name}` comes twice.", "Remove one of them.")
    for name in ("question", "answer"):
        if name not in names:
            raise Unreadable(line, f"the column `{name}` is missing.", _FATAL_HEADER)
    return names


def raw_row(header: Sequence[str], cells: Sequence[str], line: int) -> Raw | Unreadable:
    if len(cells) > len(header):
        message = f"has {len(cells)} cells below {len(header)} columns."
        return Unreadable(line, message, 'Put "quotes" around cells that hold commas.')
    raw: Raw = {name: cell for name, cell in zip(header, cells, strict=False) if cell.strip()}
    for name in LISTS:
        if isinstance(parts := raw.get(name), str):
            raw[name] = [part.strip() for part in re.split(r"[|\n]", parts) if part.strip()]
    return raw
