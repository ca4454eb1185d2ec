"""Knowledge files: questions with answers, one row a line (JSON lines) or a record (CSV), plain or gzip.

Rows are streamed; what cannot be used comes out as a `Problem` in its place: one bad row never hides others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from bot.definition import schema
from bot.definition.lines import Unreadable
from bot.definition.model import RESERVED, KnowledgeRow, Problem
from bot.definition.rows import Raw, csv_rows, json_rows
from bot.definition.sentences import sentence, suggestion
from bot.definition.text import one_line
from bot.errors import DefinitionError
from retrieval.text import script_lang
from retrieval.types import Entry

_READERS = {".jsonl": json_rows, ".csv": csv_rows}
_IGNORED = (".md", ".txt")


def knowledge_files(folder: Path) -> list[Path]:
    """Files of a knowledge folder in order of name; notes (.md, .txt) and hidden files are passed over.

    A folder that does not exist is empty. Raises `DefinitionError` on a file of another kind.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    for path in files:
        if _kind(path) not in _READERS and path.suffix not in _IGNORED:
            raise unknown_kind(path)
    return [path for path in files if _kind(path) in _READERS]


def unknown_kind(path: Path) -> DefinitionError:
    hint = "Save it as .jsonl or .csv (.gz too)."
    return DefinitionError("is not a kind of knowledge file that is read.", file=str(path), hint=hint)


def read_knowledge(path: Path) -> Iterator[KnowledgeRow | Problem]:
    """Stream one file. Raises `DefinitionError` where the name ends in neither .jsonl nor .csv (.gz)."""
    reader = _READERS.get(_kind(path))
    if reader is None:
        raise unknown_kind(path)
    return _read(reader(path), str(path))


def _kind(path: Path) -> str:
    return Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()


def _read(rows: Iterator[tuple[int, Raw | Unreadable]], file: str) -> Iterator[KnowledgeRow | Problem]:
    try:
        for line, raw in rows:
            if isinstance(raw, Unreadable):
                yield Problem(file, line, raw.message, raw.hint)
            else:
                yield _row(raw, file, line)
    except Unreadable as error:
        yield Problem(file, error.line, error.message, error.hint)


def _row(raw: Raw, file: str, line: int) -> KnowledgeRow | Problem:
    try:
        row = schema.Knowledge.model_validate(raw)
    except ValidationError as error:
        _, message, hint = sentence(error)
        return Problem(file, line, message, hint)
    lang = row.lang or script_lang(row.question)
    if lang is None:
        return Problem(file, line, "the language cannot be told from the question.", "Add `lang`.")
    return KnowledgeRow(_entry(row, lang), file, line)


def _entry(row: schema.Knowledge, lang: str) -> Entry:
    phrases = dict.fromkeys(row.alternatives)
    phrases.pop(row.question, None)
    return Entry(
        id="",
        key=row.id or hashlib.sha256(f"{lang}\n{row.question}".encode()).hexdigest()[:32],
        lang=lang,
        question=row.question,
        answer=row.answer,
        title=row.title or "",
        intent=row.intent,
        alternatives=tuple(phrases),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        url=row.url,
    )


@dataclass(slots=True)
class Checks:
    """What a row owes the bot and the other rows. One instance for all files of one reading."""

    intents: frozenset[str]
    languages: tuple[str, ...]
    seen: dict[tuple[str, str], str] = field(default_factory=dict)
    """Where each (topic, language) stands already."""

    def apply(self, rows: Iterable[KnowledgeRow | Problem]) -> Iterator[KnowledgeRow | Problem]:
        for row in rows:
            yield row if isinstance(row, Problem) else self._problem(row) or self._kept(row)

    def _kept(self, row: KnowledgeRow) -> KnowledgeRow:
        self.seen[(row.entry.key, row.entry.lang)] = f"{row.file}:{row.line}"
        return row

    def _problem(self, row: KnowledgeRow) -> Problem | None:
        entry = row.entry
        if entry.lang not in self.languages:
            return _problem(
                row, f"the bot does not speak `{entry.lang}`.", "Add it to `languages` in bot.yml."
            )
        if entry.intent in RESERVED:
            return _problem(row, f"`{entry.intent}` is answered by a response.", "Write it in responses.yml.")
        if entry.intent is not None and entry.intent not in self.intents:
            hint = suggestion(entry.intent, sorted(self.intents))
            return _problem(row, f"intents.yml has no intent `{entry.intent}`.", hint)
        if first := self.seen.get((entry.key, entry.lang)):
            message = f"`{one_line(entry.key)}` stands in `{entry.lang}` already, at {first}."
            return _problem(row, message, "Give it another id, or merge the two.")
        return None


def _problem(row: KnowledgeRow, message: str, hint: str) -> Problem:
    return Problem(row.file, row.line, message, hint)
