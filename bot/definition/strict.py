"""JSON lines whose first fault ends the reading: with the file, the line, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from bot.definition.lines import Unreadable
from bot.definition.model import LANGUAGES
from bot.definition.rows import Raw, json_rows
from bot.definition.sentences import suggestion
from bot.errors import DefinitionError

MAX_QUESTIONS = 10_000


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_Identified)


@dataclass(frozen=True, slots=True)
class Line:
    """`shape`: what a line of this file looks like."""

    file: str
    number: int
    raw: Raw
    shape: str

    def wrong(self, message: str, hint: str = "") -> DefinitionError:
        return DefinitionError(
            message, file=self.file, line=self.number, hint=hint or f"Write one {self.shape} a line."
        )

    def knows(self, keys: Sequence[str]) -> None:
        """Raises `DefinitionError` for any other."""
        for key in self.raw:
            if key not in keys:
                raise self.wrong(f"unknown key `{key}`.", suggestion(key, keys))

    def text(self, key: str) -> str:
        value = self.raw.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(f"`{key}` is not a text.")
        return value

    def texts(self, key: str, *, least: int = 0) -> tuple[str, ...]:
        """Of a list; a text by itself is one."""
        value = self.raw.get(key, [])
        several: Sequence[object] = value if isinstance(value, list) else [value]
        if len(several) < least or not all(isinstance(one, str) and one.strip() for one in several):
            raise self.wrong(f"`{key}` is not a text, or a list of texts.")
        return tuple(str(one) for one in several)

    def lang(self) -> str | None:
        lang = self.raw.get("lang")
        if lang is not None and lang not in LANGUAGES:
            raise self.wrong("`lang` is not a language that is known.", f"Known: {', '.join(LANGUAGES)}.")
        return None if lang is None else str(lang)


def strict_lines(path: Path, *, name: str, shape: str) -> Iterator[Line]:
    """`name`: of the file, for people. Raises `DefinitionError`."""
    try:
        for number, raw in json_rows(path, shape=shape):
            if isinstance(raw, Unreadable):
                raise raw
            yield Line(name, number, raw, shape)
    except Unreadable as error:
        raise DefinitionError(error.message, file=name, line=error.line, hint=error.hint) from None


def read_questions_of(lines: Iterable[Line], make: Callable[[Line], T]) -> tuple[T, ...]:
    """A question a line, each with an id of its own. Raises `DefinitionError`."""
    found: dict[str, T] = {}
    for line in lines:
        question = make(line)
        if question.id in found:
            raise line.wrong(f"the id `{question.id}` is taken already.")
        found[question.id] = question
        if len(found) > MAX_QUESTIONS:
            raise line.wrong(f"is beyond {MAX_QUESTIONS} questions.")
    return tuple(found.values())
