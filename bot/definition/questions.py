"""The bot's own questions: `tests/*.jsonl` in its folder, what customers ask and what is right.

{"text" or "turns", "expected", "id"?, "lang"?, "group"?, "between"?, "says"?} a line. `expected` is what the last
answer has to be, or a list of all that is right: the key of an answer, the name of a document, "clarify", or the name
of a response ("refuse", "handoff", "greet", ...).

`tests/negation.jsonl` holds pairs: a question, and under "negated" what a customer says who does not want that. Other
files of the folder that are no questions of this kind are named in `OTHERS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.definition.contrasts import contrast_file
from bot.definition.model import LANGUAGES
from bot.definition.strict import Line, read_questions_of, strict_lines
from bot.errors import DefinitionError

FOLDER = "tests"
CLARIFY = "clarify"
SHAPE = '{"text": ..., "expected": ...}'
KEYS = ("id", "lang", "group", "text", "turns", "expected", "between", "says")
NEGATION = "negation.jsonl"
ENTITIES = "entities.jsonl"
OTHERS = (NEGATION, "answers.jsonl", "contradictions.jsonl", ENTITIES, *map(contrast_file, LANGUAGES))
"""Files of the folder that hold something else, each in a form of its own."""
NEGATED = "negated"


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
    before = "" if folder.is_file() else f"{FOLDER}/"
    return read_questions_of((line for path in files for line in _lines(path, before)), _question)


def read_pairs(folder: Path) -> tuple[Pair, ...]:
    """Of a bot folder; none where it has no such file. Raises `DefinitionError`."""
    found: list[Pair] = []
    for path in sorted((folder / FOLDER).glob(f"{NEGATION}*")):
        for line in _lines(path, f"{FOLDER}/"):
            negated = line.text(NEGATED)
            del line.raw[NEGATED]
            found.append(Pair(_question(line), negated))
    return tuple(found)


def _lines(path: Path, before: str) -> Iterator[Line]:
    return strict_lines(path, name=f"{before}{path.name}", shape=SHAPE)


def _question(line: Line) -> Question:
    line.knows(KEYS)
    raw, file = line.raw, line.file
    if ("text" in raw) == ("turns" in raw):
        raise line.wrong("has to have `text`, or `turns`, a list of texts.")
    lang, group = line.lang(), raw.get("group")
    if group is not None and not isinstance(group, str):
        raise line.wrong("`group` is not a text.")
    return Question(
        str(raw.get("id", f"{file}:{line.number}")),
        line.texts("turns" if "turns" in raw else "text", least=1),
        line.texts("expected", least=1),
        lang,
        line.texts("between"),
        line.texts("says"),
        file,
        line.number,
        group,
    )
