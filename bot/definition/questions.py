"""The bot's own questions: `tests/*.jsonl` in its folder, what customers ask and what is right.

{"text" or "turns", "expected", "id"?, "lang"?, "group"?, "between"?, "says"?} a line. `expected` is what the last
answer has to be, or a list of all that is right: the key of an answer, the name of a document, "clarify", or the name
of a response ("refuse", "handoff", "greet", ...).

`tests/negation.jsonl` holds pairs: a question, and under "negated" what a customer says who does not want that. Other
files of the folder that are no questions of this kind are named in `OTHERS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.definition.lines import Unreadable
from bot.definition.model import LANGUAGES
from bot.definition.rows import Raw, json_rows
from bot.definition.sentences import suggestion
from bot.errors import DefinitionError

FOLDER = "tests"
CLARIFY = "clarify"
SHAPE = '{"text": ..., "expected": ...}'
KEYS = ("id", "lang", "group", "text", "turns", "expected", "between", "says")
NEGATION = "negation.jsonl"
ENTITIES = "entities.jsonl"
OTHERS = (NEGATION, "answers.jsonl", "contradictions.jsonl", ENTITIES)
"""Files of the folder that hold something else, each in a form of its own."""
NEGATED = "negated"
MAX_QUESTIONS = 10_000
_HINT = f"Write one {SHAPE} a line."


@dataclass(frozen=True, slots=True)
class Question:
    """A conversation of its own. `turns`: what the customer says, of which the last one is judged."""

    id: str
    turns: tuple[str, ...]
    expected: tuple[str, ...]
    lang: str | None
    """What the customer's page is set to; None: unknown."""
    between: tuple[str, ...]
    """Of a bot that asks which is meant: it has to offer one of these; empty: any."""
    says: tuple[str, ...]
    """Parts that the answer has to hold."""
    file: str
    line: int
    group: str | None = None
    """Of users, as a channel or a region: right answers are told for each."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A wish, and what says that it is not wished for."""

    question: Question
    negated: str


def read_questions(folder: Path) -> tuple[Question, ...]:
    """All of a bot folder, or of one file. Raises `DefinitionError` where there is none, and for the first line that
    cannot be used.
    """
    if not (found := find_questions(folder)):
        raise DefinitionError(
            "has no questions of its own.", file=str(folder), hint=f"Write {FOLDER}/questions.jsonl: {SHAPE}"
        )
    return found


def find_questions(folder: Path) -> tuple[Question, ...]:
    """As `read_questions`; a bot may have none."""
    files = [folder] if folder.is_file() else sorted((folder / FOLDER).glob("*.jsonl*"))
    files = [path for path in files if not path.name.startswith(OTHERS)]
    found: dict[str, Question] = {}
    for path in files:
        for question in _of_file(path, "" if folder.is_file() else f"{FOLDER}/"):
            if question.id in found:
                raise _wrong(question.file, question.line, f"the id `{question.id}` is taken already.")
            found[question.id] = question
            if len(found) > MAX_QUESTIONS:
                raise _wrong(question.file, question.line, f"is beyond {MAX_QUESTIONS} questions.")
    return tuple(found.values())


def read_pairs(folder: Path) -> tuple[Pair, ...]:
    """Of a bot folder; none where it has no such file. Raises `DefinitionError`."""
    found: list[Pair] = []
    for path in sorted((folder / FOLDER).glob(f"{NEGATION}*")):
        for name, line, raw in _lines(path, f"{FOLDER}/"):
            negated = raw.pop(NEGATED, None)
            if not isinstance(negated, str) or not negated.strip():
                raise _wrong(name, line, f"`{NEGATED}` is not a text.")
            found.append(Pair(_question(raw, name, line), negated))
    return tuple(found)


def _of_file(path: Path, before: str) -> Iterator[Question]:
    for name, line, raw in _lines(path, before):
        yield _question(raw, name, line)


def _lines(path: Path, before: str) -> Iterator[tuple[str, int, Raw]]:
    name = f"{before}{path.name}"
    try:
        for line, raw in json_rows(path, shape=SHAPE):
            if isinstance(raw, Unreadable):
                raise raw
            yield name, line, raw
    except Unreadable as error:
        raise DefinitionError(error.message, file=name, line=error.line, hint=error.hint) from None


def _question(raw: Raw, file: str, line: int) -> Question:
    for key in raw:
        if key not in KEYS:
            raise _wrong(file, line, f"unknown key `{key}`.", suggestion(key, KEYS))
    if ("text" in raw) == ("turns" in raw):
        raise _wrong(file, line, "has to have `text`, or `turns`, a list of texts.")
    lang = raw.get("lang")
    if lang is not None and lang not in LANGUAGES:
        raise _wrong(file, line, "`lang` is not a language that is known.", f"Known: {', '.join(LANGUAGES)}.")

    def texts(key: str, *, least: int = 0) -> tuple[str, ...]:
        value = raw.get(key, [])
        several: Sequence[object] = value if isinstance(value, list) else [value]
        if len(several) < least or not all(isinstance(one, str) and one.strip() for one in several):
            raise _wrong(file, line, f"`{key}` is not a text, or a list of texts.")
        return tuple(str(one) for one in several)

    group = raw.get("group")
    if group is not None and not isinstance(group, str):
        raise _wrong(file, line, "`group` is not a text.")
    name = raw.get("id", f"{file}:{line}")
    return Question(
        str(name),
        texts("turns" if "turns" in raw else "text", least=1),
        texts("expected", least=1),
        str(lang) if lang is not None else None,
        texts("between"),
        texts("says"),
        file,
        line,
        group,
    )


def _wrong(file: str, line: int, message: str, hint: str = _HINT) -> DefinitionError:
    return DefinitionError(message, file=file, line=line, hint=hint)
