"""Data sets outside a bot in which all that is named is marked, as JSON lines:
{"text", "entities": [{"start", "end", "kind"}], "lang"?} each. Places are characters (Unicode code points) of the text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from bot.definition.labelled import (
    MAX_LABEL,
    MAX_LABELS,
    MAX_TEXT,
    DataFile,
    Line,
    Marked,
    Tell,
    made_rows,
    read_file,
    told_rows,
)
from bot.definition.rows import Raw
from bot.definition.text import one_line
from bot.errors import DefinitionError
from training.entities.entity import atoms
from training.entities.spec import Span

MAX_MARKED = 5_000
"""Rows of a file: states of all their tokens are held at once."""
SHAPE = '{"text": ..., "entities": [{"start": 0, "end": 5, "kind": "city"}]}'
KEYS = ("start", "end", "kind")


def read_annotated(path: Path, *, limit: int = MAX_MARKED, tell: Tell) -> DataFile[Marked]:
    """Raises `DefinitionError` for the first line that cannot be used, and where there are too many kinds."""
    read = read_file(path, told_rows(path, made_rows(path, SHAPE, _marked), tell), limit)
    if (kinds := len({span.kind for row in read.rows for span in row.spans})) > MAX_LABELS:
        hint = f"At most {MAX_LABELS} are told apart: is `kind` a class?"
        raise DefinitionError(f"has {kinds} different kinds.", file=str(path), hint=hint)
    return replace(read, repeated=len(read.rows) - len(set(read.texts)))


def marked_twice(rows: Sequence[Marked]) -> list[int]:
    """Lines of texts that stand there with other marks too."""
    ways: dict[str, set[tuple[Span, ...]]] = defaultdict(set)
    for row in rows:
        ways[row.text].add(row.spans)
    return [row.line for row in rows if len(ways[row.text]) > 1]


def cuts_words(row: Marked) -> int:
    """How many of its entities begin or end within a word, or at a blank: such cannot be found exactly."""
    places = atoms(row.text)
    starts, ends = {start for start, _ in places}, {end for _, end in places}
    return sum(span.start not in starts or span.end not in ends for span in row.spans)


def _marked(line: Line, raw: Raw) -> Marked:
    line.text(raw, "text")  # blanks at its ends count for places
    text = str(raw["text"])
    lang = line.text(raw, "lang", limit=20) if raw.get("lang") is not None else None
    found = raw.get("entities")
    if not isinstance(found, list):
        raise line.wrong("`entities` is not a list." if "entities" in raw else "has no `entities`.")
    spans = tuple(sorted(_span(line, one, number, text) for number, one in enumerate(found, 1)))
    for before, after in pairwise(spans):
        if after.start < before.end:
            raise line.wrong(f"`{_said(text, before)}` and `{_said(text, after)}` overlap.")
    kept = tuple(span for span in spans if span.end <= MAX_TEXT)
    return Marked(text[:MAX_TEXT], kept, lang, line.number, len(text) > MAX_TEXT)


def _span(line: Line, one: object, number: int, text: str) -> Span:
    if not isinstance(one, dict):
        raise line.wrong(f"entity {number} is no object.")
    if lacking := next((key for key in KEYS if key not in one), None):
        raise line.wrong(f"entity {number} has no `{lacking}`.")
    start, end = one["start"], one["end"]
    if type(start) is not int or type(end) is not int:
        raise line.wrong(f"`start` and `end` of entity {number} are not whole numbers.")
    if not 0 <= start < end <= len(text):
        raise line.wrong(f"entity {number} goes from {start} to {end}; the text has {len(text)} characters.")
    return Span(start, end, line.word(one["kind"], "kind", limit=MAX_LABEL))


def _said(text: str, span: Span) -> str:
    return one_line(text[span.start : span.end], 40)


def named(rows: tuple[Marked, ...]) -> Iterator[str]:
    """The kind of each entity."""
    return (span.kind for row in rows for span in row.spans)
