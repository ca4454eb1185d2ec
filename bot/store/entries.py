"""An entry of the knowledge on its way into the database."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from retrieval.types import Entry

CONTENT = (
    "question",
    "answer",
    "title",
    "intent",
    "alternatives",
    "valid_from",
    "valid_to",
    "url",
    "audience",
)
"""What an entry says; (source, key, lang) is what it is called."""


@dataclass(frozen=True, slots=True)
class KnowledgeRow:
    """One entry of a source, by (key, lang). The hash covers all else; it is taken here, off the writer."""

    key: str
    lang: str
    question: str
    answer: str
    title: str = ""
    intent: str | None = None
    alternatives: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    """Last day, inclusive."""
    url: str | None = None
    audience: tuple[str, ...] = ()
    """Who may hear it; none: everybody."""
    content_hash: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        # Rows of earlier versions have no audience and keep their hash: nothing of them has changed.
        content = [getattr(self, name) for name in CONTENT if name != "audience" or self.audience]
        written = json.dumps(content, ensure_ascii=True, default=date.isoformat)
        object.__setattr__(self, "content_hash", hashlib.sha256(written.encode()).hexdigest())


@dataclass(frozen=True, slots=True)
class SyncReport:
    """Counts of entries, and the knowledge revision afterwards."""

    added: int
    changed: int
    unchanged: int
    removed: int
    revision: int


def in_tuples(row: Any) -> dict[str, Any]:
    """A row's columns, lists as tuples; what rows of earlier versions do not have is empty."""
    lists = ("alternatives", "audience")
    return {**row._mapping, **{name: tuple(row._mapping[name] or ()) for name in lists}}


def from_entry(entry: Entry) -> KnowledgeRow:
    """The row of an entry that came from a file; the database gives it its own id."""
    content = {name: getattr(entry, name) for name in CONTENT}
    return KnowledgeRow(entry.key, entry.lang, **content)
