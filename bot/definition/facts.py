"""Questions with facts: `tests/answers.jsonl` of a bot folder, what a right answer may state and where it stands.

{"question", "answerable", "id"?, "lang"?, "sources"?, "facts"?, "must"?, "why"?} a line. `sources`: keys of stored
answers, or names of documents, that hold the answer; `facts`: what may be stated, a text each; `must`: words that the
answer has to hold. Where nothing that the bot knows answers it, `answerable` is false, and `why` may say what is
missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bot.definition.strict import Line, read_questions_of, strict_lines
from bot.errors import DefinitionError

FACTS = "answers.jsonl"
SHAPE = '{"question": ..., "answerable": true, "sources": [...]}'
KEYS = ("id", "lang", "question", "answerable", "sources", "facts", "must", "why")
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
    found = read_questions_of(strict_lines(file, name=file.name, shape=SHAPE), _question)
    if not found:
        raise DefinitionError("has no questions.", file=file.name, hint=_HINT)
    return found


def _question(line: Line) -> FactQuestion:
    line.knows(KEYS)
    text, answerable = line.text("question"), line.raw.get("answerable")
    if not isinstance(answerable, bool):
        raise line.wrong("`answerable` is neither true nor false.")
    lang = line.lang()
    sources, facts, must = map(line.texts, ("sources", "facts", "must"))
    if answerable and not sources and not facts:
        raise line.wrong("has neither `sources` nor `facts` to judge its answer by.")
    name = str(line.raw.get("id", f"{line.file}:{line.number}"))
    return FactQuestion(name, lang, text, answerable, sources, facts, must)
