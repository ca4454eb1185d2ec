"""Knowledge files: tables of questions with answers (JSON lines, CSV, sheets), and documents.

JSON lines and CSV may be gzipped, and are streamed. What cannot be used comes out as a `Problem` in its place: one bad
row never hides others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from bot.definition import schema
from bot.definition.lines import Unreadable
from bot.definition.model import RESERVED, KnowledgeRow, Problem
from bot.definition.prose import document_rows, in_sheet, is_document
from bot.definition.rows import Raw, csv_rows, json_rows
from bot.definition.sentences import sentence, suggestion
from bot.definition.text import one_line
from bot.documents import DocumentReader
from bot.errors import DefinitionError
from retrieval.text import script_lang
from retrieval.types import Entry

_READERS = {".jsonl": json_rows, ".csv": csv_rows, ".tsv": csv_rows}
_NOTES = ".txt"
_README = "readme"
_DRAFTS = ("~$", ".")
"""Names of hidden files, and of those that an office program keeps beside an open one, begin so."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Files of a folder and its subfolders, in order of name."""

    read: tuple[Path, ...]
    unknown: tuple[Path, ...]
    """Of kinds that are not read."""


def look_into(folder: Path) -> Folder:
    """Notes (.txt, README) and hidden files are passed over, links to folders not followed.

    A folder that does not exist is empty.
    """
    files = sorted(
        path for path in folder.rglob("*") if path.is_file() and not _hidden(path.relative_to(folder))
    )
    files = [path for path in files if path.suffix.lower() != _NOTES and path.stem.lower() != _README]
    known = [path for path in files if is_knowledge(path)]
    return Folder(tuple(known), tuple(path for path in files if not is_knowledge(path)))


def _hidden(path: Path) -> bool:
    return any(part.startswith(_DRAFTS) for part in path.parts)


def knowledge_files(folder: Path) -> tuple[Path, ...]:
    """Of a bot's knowledge folder. Raises `DefinitionError` on a file of another kind."""
    found = look_into(folder)
    for path in found.unknown:
        raise unknown_kind(path)
    return found.read


def is_knowledge(path: Path) -> bool:
    return _kind(path) in _READERS or is_document(path)


def unknown_kind(path: Path) -> DefinitionError:
    hint = "Save it as .jsonl or .csv (.gz too), .xlsx, .md, .html, .pdf or .docx."
    return DefinitionError("is not a kind of knowledge file that is read.", file=str(path), hint=hint)


def read_knowledge(
    path: Path, *, name: str = "", documents: DocumentReader | None = None
) -> Iterator[KnowledgeRow | Problem]:
    """Stream one file. Raises `DefinitionError` where its name has no known ending.

    `name`: what a document is called in keys and citations (its file name without one); `documents` reads it,
    or a reader of its own.
    """
    if is_document(path):
        return _read_document(path, name or path.name, documents)
    reader = _READERS.get(_kind(path))
    if reader is None:
        raise unknown_kind(path)
    return _read(reader(path), str(path))


def _read_document(
    path: Path, name: str, documents: DocumentReader | None
) -> Iterator[KnowledgeRow | Problem]:
    with ExitStack() as stack:
        reader = documents or stack.enter_context(DocumentReader())
        for found in document_rows(path, name, reader):
            if isinstance(found, tuple):
                line, sheet, raw = found
                row = read_row(raw, str(path), line)
                yield replace(row, message=in_sheet(sheet, row.message)) if isinstance(row, Problem) else row
            else:
                yield found


def _kind(path: Path) -> str:
    return Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()


def _read(rows: Iterator[tuple[int, Raw | Unreadable]], file: str) -> Iterator[KnowledgeRow | Problem]:
    try:
        for line, raw in rows:
            if isinstance(raw, Unreadable):
                yield Problem(file, line, raw.message, raw.hint)
            else:
                yield read_row(raw, file, line)
    except Unreadable as error:
        yield Problem(file, error.line, error.message, error.hint)


def read_row(raw: Mapping[str, object], file: str, line: int) -> KnowledgeRow | Problem:
    """One row, from wherever; `raw` is as JSON says it, what says nothing left out."""
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
        audience=tuple(dict.fromkeys(row.audience)),
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
    return Problem(row.file, row.line, message, hint, minor=row.prose)
