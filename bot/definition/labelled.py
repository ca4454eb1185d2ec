"""Data sets outside a bot, as JSON lines: labelled texts, and questions with the answers that they should find.

Bounded memory: of a longer file MAX_ROWS rows are drawn at random, the same ones each time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, TypeVar

from bot.definition.lines import Unreadable
from bot.definition.rows import Raw, json_rows
from bot.definition.text import one_line
from bot.documents import digest
from bot.errors import DefinitionError
from retrieval.text import normalise
from training.entities.spec import Span

MAX_ROWS = 100_000
MAX_LABELS = 500
MAX_TEXT = 4_000
"""Characters of a text, as of a message; what is longer is cut, and counted."""
MAX_LABEL = 200
SEED = 0
TOLD = 10_000
"""Rows between two words on how far reading is: a tenth of a second."""
Tell = Callable[[str], None]
"""What is being read, and how much of it was: for people."""


def _nobody(_: str) -> None:
    """Listens."""


@dataclass(frozen=True, slots=True)
class Example:
    text: str
    label: str
    line: int
    cut: bool = False
    """It was longer than MAX_TEXT."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and ids (or wordings) of the answers that are right."""

    text: str
    expected: tuple[str, ...]
    line: int
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Marked:
    """A text with what it names, to the character."""

    text: str
    spans: tuple[Span, ...]
    lang: str | None
    """None: nobody said."""
    line: int
    cut: bool = False


Row = TypeVar("Row", Example, Asked, Marked)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DataFile(Generic[Row]):
    """What a file holds. `found`: rows in it, of which `rows` may be a draw."""

    path: Path
    sha256: str
    found: int
    rows: tuple[Row, ...]
    clashes: tuple[tuple[int, ...], ...] = field(default=())
    """Lines that say the same text under different labels; those are not among the rows."""
    repeated: int = 0
    """Rows whose text stands earlier too, under the same label."""

    @property
    def cut(self) -> int:
        return sum(row.cut for row in self.rows)

    @property
    def texts(self) -> list[str]:
        return [row.text for row in self.rows]


def read_examples(path: Path, *, limit: int = MAX_ROWS, tell: Tell = _nobody) -> DataFile[Example]:
    """`{"text", "label"}` a line. Raises `DefinitionError` for the first line that cannot be used."""
    read = read_file(
        path, told_rows(path, made_rows(path, '{"text": ..., "label": ...}', _example), tell), limit
    )
    clashing, repeated = _same_texts(read.rows)
    lines = {line for lines in clashing for line in lines}
    kept = tuple(row for row in read.rows if row.line not in lines)
    if not kept:
        raise DefinitionError(
            "every text has two labels.", file=str(path), hint="Leave each text with one of them."
        )
    if (labels := len({row.label for row in kept})) > MAX_LABELS:
        hint = f"At most {MAX_LABELS} are told apart: is `label` a class?"
        raise DefinitionError(f"has {labels} different labels.", file=str(path), hint=hint)
    return replace(read, rows=kept, clashes=clashing, repeated=repeated)


def read_asked(path: Path, *, limit: int = MAX_ROWS, tell: Tell = _nobody) -> DataFile[Asked]:
    """`{"text", "id"}` or `{"text", "expected"}` a line, `expected` an id, a stored question, or a list of those.

    Raises `DefinitionError` for the first line that cannot be used.
    """
    return read_file(
        path, told_rows(path, made_rows(path, '{"text": ..., "expected": ...}', _asked), tell), limit
    )


def told_rows(path: Path, rows: Iterable[T], tell: Tell) -> Iterator[T]:
    """The same rows; says now and then how many there were."""
    for number, row in enumerate(rows, 1):
        if number % TOLD == 0:
            tell(f"reading: {path.name}, {number:,} rows")
        yield row


def read_file(path: Path, rows: Iterator[Row], limit: int) -> DataFile[Row]:
    """At most `limit` of the rows, drawn. Raises `DefinitionError` where there are none."""
    kept, found = _drawn(rows, limit)
    if not kept:
        raise DefinitionError("holds no row.", file=str(path), hint="Name a file of JSON lines.")
    try:
        return DataFile(path, digest(path), found, tuple(kept))
    except OSError as error:
        raise DefinitionError(f"cannot be read: {error.strerror}.", file=str(path)) from None


def made_rows(path: Path, shape: str, make: Callable[[Line, Raw], Row]) -> Iterator[Row]:
    """A row of each line. Raises `DefinitionError` for the first that is not of that shape."""
    try:
        for line, raw in json_rows(path, shape=shape):
            if isinstance(raw, Unreadable):
                raise raw
            yield make(Line(str(path), line, f"Write one {shape} a line."), raw)
    except Unreadable as error:
        raise DefinitionError(error.message, file=str(path), line=error.line, hint=error.hint) from None


@dataclass(frozen=True, slots=True)
class Line:
    """Where a row stands, and what to do about what is wrong with it."""

    file: str
    number: int
    hint: str

    def wrong(self, message: str) -> DefinitionError:
        return DefinitionError(message, file=self.file, line=self.number, hint=self.hint)

    def text(self, raw: Raw, name: str, *, limit: int | None = None) -> str:
        """What is not blank. A number is a name too: sentiment is often 0 and 1."""
        if name not in raw:
            raise self.wrong(f"has no `{name}`.")
        return self.word(raw[name], name, limit=limit)

    def word(self, value: object, name: str, *, limit: int | None = None) -> str:
        if type(value) is int:
            value = str(value)
        if not isinstance(value, str):
            raise self.wrong(f"`{name}` is neither a text nor a whole number.")
        if not (value := value.strip()):
            raise self.wrong(f"`{name}` is empty.")
        if limit is not None and len(value) > limit:
            raise self.wrong(f"`{name}` is longer than {limit} characters: {one_line(value, 40)}")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise self.wrong(f"`{name}` holds half a character (a lone surrogate).") from None
        return value


def _example(line: Line, raw: Raw) -> Example:
    text, label = line.text(raw, "text"), line.text(raw, "label", limit=MAX_LABEL)
    return Example(text[:MAX_TEXT], label, line.number, len(text) > MAX_TEXT)


def _asked(line: Line, raw: Raw) -> Asked:
    name = "expected" if "expected" in raw else "id"
    if name not in raw:
        raise line.wrong("has neither `expected` nor `id`.")
    value = raw[name]
    values: Sequence[object] = value if isinstance(value, list) else [value]
    if not values:
        raise line.wrong(f"`{name}` is empty.")
    expected = dict.fromkeys(line.word(one, name, limit=MAX_TEXT) for one in values)
    text = line.text(raw, "text")
    return Asked(text[:MAX_TEXT], tuple(expected), line.number, len(text) > MAX_TEXT)


def _drawn(rows: Iterable[Row], limit: int) -> tuple[list[Row], int]:
    """At most `limit` of them, each as likely as any other (Vitter 1985, algorithm R), in their order; and how many
    there were.
    """
    from numpy.random import default_rng

    kept: list[Row] = []
    random, found = default_rng(SEED), 0
    for found, row in enumerate(rows, 1):
        if found <= limit:
            kept.append(row)
        elif (place := int(random.integers(found))) < limit:
            kept[place] = row
    return sorted(kept, key=lambda row: row.line), found


def _same_texts(rows: Iterable[Example]) -> tuple[tuple[tuple[int, ...], ...], int]:
    """(lines of each text that has several labels, number of repeats of the others)."""
    places: dict[Hashable, list[Example]] = {}
    for row in rows:
        places.setdefault(normalise(row.text), []).append(row)
    several = [same for same in places.values() if len(same) > 1]
    clashing = [same for same in several if len({row.label for row in same}) > 1]
    lines = tuple(tuple(row.line for row in same) for same in clashing)
    return lines, sum(len(same) - 1 for same in several) - sum(len(same) - 1 for same in clashing)
