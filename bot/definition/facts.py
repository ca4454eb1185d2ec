"""Questions with facts: `tests/answers.jsonl` of a bot folder, what a right answer may state and where it stands.

{"question", "answerable", "id"?, "lang"?, "sources"?, "facts"?, "must"?, "why"?} a line. `sources`: keys of stored
answers, or names of documents, that hold the answer; `facts`: what may be stated, a text each; `must`: words that the
answer has to hold. Where nothing that the bot knows answers it, `answerable` is false, and `why` may say what is
missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.definition.lines import Unreadable
from bot.definition.model import LANGUAGES
from bot.definition.rows import Raw, json_rows
from bot.definition.sentences import suggestion
from bot.errors import DefinitionError

FACTS = "answers.jsonl"
SHAPE = '{"question": ..., "answerable": true, "sources": [...]}'
KEYS = ("id", "lang", "question", "answerable", "sources", "facts", "must", "why")
MAX_QUESTIONS = 10_000
_HINT = f"Write one {SHAPE} a line."


@dataclass(frozen=True, slots=True)
class FactQuestion:
    """A message of its own, and what is known of its answer."""

    id: str
    lang: str | None
    text: str
    answerable: bool
    sources: tuple[str, ...]
    facts: tuple[str, ...]
    must: tuple[str, ...]


def read_facts(path: Path) -> tuple[FactQuestion, ...]:
    """Of a file, or of `tests/answers.jsonl` in a bot folder. Raises `DefinitionError` for the first line that cannot
    be used, and where there is none.
    """
    file = path / "tests" / FACTS if path.is_dir() else path
    if not file.is_file():
        raise DefinitionError("is not there.", file=str(file), hint=_HINT)
    found: dict[str, FactQuestion] = {}
    try:
        for line, raw in json_rows(file, shape=SHAPE):
            if isinstance(raw, Unreadable):
                raise raw
            question = _question(raw, file.name, line)
            if question.id in found:
                raise _wrong(file.name, line, f"the id `{question.id}` is taken already.")
            found[question.id] = question
            if len(found) > MAX_QUESTIONS:
                raise _wrong(file.name, line, f"is beyond {MAX_QUESTIONS} questions.")
    except Unreadable as error:
        raise DefinitionError(error.message, file=file.name, line=error.line, hint=error.hint) from None
    if not found:
        raise DefinitionError("has no questions.", file=file.name, hint=_HINT)
    return tuple(found.values())


def _question(raw: Raw, file: str, line: int) -> FactQuestion:
    for key in raw:
        if key not in KEYS:
            raise _wrong(file, line, f"unknown key `{key}`.", suggestion(key, KEYS))
    text, answerable, lang = raw.get("question"), raw.get("answerable"), raw.get("lang")
    if not isinstance(text, str) or not text.strip():
        raise _wrong(file, line, "`question` is not a text.")
    if not isinstance(answerable, bool):
        raise _wrong(file, line, "`answerable` is neither true nor false.")
    if lang is not None and lang not in LANGUAGES:
        raise _wrong(file, line, "`lang` is not a language that is known.", f"Known: {', '.join(LANGUAGES)}.")

    def texts(key: str) -> tuple[str, ...]:
        value = raw.get(key, [])
        several: Sequence[object] = value if isinstance(value, list) else [value]
        if not all(isinstance(one, str) and one.strip() for one in several):
            raise _wrong(file, line, f"`{key}` is not a text, or a list of texts.")
        return tuple(str(one) for one in several)

    sources, facts, must = map(texts, ("sources", "facts", "must"))
    if answerable and not sources and not facts:
        raise _wrong(file, line, "has neither `sources` nor `facts` to judge its answer by.")
    name = str(raw.get("id", f"{file}:{line}"))
    return FactQuestion(name, None if lang is None else str(lang), text, answerable, sources, facts, must)


def _wrong(file: str, line: int, message: str, hint: str = _HINT) -> DefinitionError:
    return DefinitionError(message, file=file, line=line, hint=hint)
