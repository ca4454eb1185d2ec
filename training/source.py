"""What a data set is made from: labelled texts as sources have them, and a file in which they wait to be cleaned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from retrieval.types import Entry
from training.dataset import DatasetError, Origin, Row, Task

FOUND = "found.jsonl"
ORIGIN = "origin.json"


@dataclass(frozen=True, slots=True)
class Found:
    """A labelled text, and the name of its source."""

    task: Task
    source: str
    row: Row
    own: bool = True
    """Its author gave the label. False: it follows from what customers did, and yields to an author's."""

    @property
    def place(self) -> str:
        """For people who look for it."""
        return f"{self.source}:{self.row.line}" if self.row.line else f"{self.source} ({self.row.label})"


def of_examples(source: str, examples: Iterable[tuple[str, str, str]]) -> Iterator[Found]:
    """(text, intent, language) of a bot's intents."""
    for text, label, lang in examples:
        yield Found("intent", source, Row(text, label, lang))


def of_answers(answers: Iterable[tuple[str, Entry]]) -> Iterator[Found]:
    """Of (source, stored answer): each phrasing with the answer's key, and with its intent where it has one."""
    for source, entry in answers:
        for text in entry.phrases:
            yield Found("retrieval", source, Row(text, entry.key, entry.lang))
            if entry.intent:
                yield Found("intent", source, Row(text, entry.intent, entry.lang))


def of_customers(source: str, rows: Iterable[Row], intents: Mapping[str, str]) -> Iterator[Found]:
    """Of what customers asked, labelled with an answer's key. `intents`: of the keys that have one."""
    for row in rows:
        yield Found("retrieval", source, row, own=False)
        if intent := intents.get(row.label):
            yield Found("intent", source, Row(row.text, intent, row.lang, row.group, row.at), own=False)


_FOUND = TypeAdapter(Found)
_ORIGIN = TypeAdapter(Origin)


def write_found(folder: Path, found: Iterable[Found], origin: Origin) -> None:
    """Line by line. `origin` as far as it is known yet."""
    with (folder / FOUND).open("wb") as stream:
        stream.writelines(_FOUND.dump_json(one, exclude_defaults=True) + b"\n" for one in found)
    (folder / ORIGIN).write_bytes(_ORIGIN.dump_json(origin))


def read_found(folder: Path) -> Iterator[Found]:
    """Line by line. Raises `DatasetError`."""
    try:
        with (folder / FOUND).open("rb") as stream:
            for line in stream:
                yield _FOUND.validate_json(line)
    except (OSError, ValidationError) as error:
        raise _unreadable(folder / FOUND, error) from None


def read_origin(folder: Path) -> Origin:
    """Raises `DatasetError`."""
    try:
        return _ORIGIN.validate_json((folder / ORIGIN).read_bytes())
    except (OSError, ValidationError) as error:
        raise _unreadable(folder / ORIGIN, error) from None


def _unreadable(path: Path, error: OSError | ValidationError) -> DatasetError:
    why = error.strerror if isinstance(error, OSError) else "it is not what was written"
    return DatasetError(f"{path} cannot be read: {why}.")
