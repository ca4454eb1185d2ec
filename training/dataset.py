"""A data set on disk: a folder made whole or not at all, sealed by a hash of its content. Torch-free.

`dataset.json` (what it holds and where that is from), `TASK.SPLIT.jsonl` (one `{"text", "label", "lang"?, "group"?,
"at"?, "line"?}` a line), and the data card as `card.json` and `card.md`. For `retrieval` the label is the key of an
answer: two texts of one key are a pair.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, get_args

from pydantic import TypeAdapter, ValidationError

from retrieval.publish import publish
from training.card import as_markdown
from training.errors import TrainingError

Task = Literal["intent", "retrieval", "sentiment"]
Split = Literal["train", "valid", "test"]
TASKS: tuple[Task, ...] = get_args(Task)
SPLITS: tuple[Split, ...] = get_args(Split)
FORMAT = 1
ABOUT = "dataset.json"
CARD = "card.json"


class DatasetError(TrainingError):
    """A data set is missing, damaged, of another format, or holds nothing that can be learned."""


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled text, as it was written."""

    text: str
    label: str
    lang: str | None = None
    group: str | None = None
    """Rows of one group (a conversation) stand on one side of a split."""
    at: str | None = None
    """When it was said: ISO 8601."""
    line: int | None = None
    """Where it stands in its source; no part of the content."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows are from, and on what terms."""

    name: str
    kind: Literal["folder", "store", "file"]
    rows: int
    sha256: str | None = None
    """Of the file, where it is one."""
    terms: str = ""
    """Licence, or on what ground it may be used; empty: nobody said."""
    taken: str = ""
    """What of it was taken, and why that is a sound label."""


@dataclass(frozen=True, slots=True)
class Removed:
    """Rows that are in no split, and why."""

    reason: str
    task: Task
    rows: int
    where: tuple[str, ...] = ()
    """The first of them: source and line. Never their text."""


@dataclass(frozen=True, slots=True)
class Origin:
    """How a data set came to be: what its card tells beside counts."""

    seed: int = 0
    foreign: str | None = None
    """The label of intent rows that are out of scope."""
    sources: tuple[Source, ...] = ()
    removed: tuple[Removed, ...] = ()
    scrubbed: Mapping[str, int] = field(default_factory=dict)
    """Personal data that was masked, by kind."""
    leaks: Mapping[str, int] = field(default_factory=dict)
    """What stood on two sides of a split and was taken out of training, by kind; 0 where that was looked for."""
    notes: tuple[str, ...] = ()
    """What somebody who uses it should know, a sentence each."""


Rows = Mapping[Task, Mapping[Split, Sequence[Row]]]


@dataclass(frozen=True, slots=True)
class Dataset:
    """`hash`: SHA-256 (hex) of the rows, whatever their order and wherever they are from."""

    folder: Path
    hash: str
    origin: Origin
    parts: Rows

    def rows(self, task: Task, split: Split) -> Sequence[Row]:
        """Empty where there are none."""
        return self.parts.get(task, {}).get(split, ())

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Those that have rows."""
        return tuple(task for task in TASKS if any(self.rows(task, split) for split in SPLITS))


@dataclass(frozen=True, slots=True)
class _About:
    """What stands in dataset.json. `tasks`: rows of each split."""

    format: int
    hash: str
    tasks: Mapping[Task, Mapping[Split, int]]
    origin: Origin


_ROW = TypeAdapter(Row)
_ABOUT = TypeAdapter(_About)


def write_dataset(folder: Path, parts: Rows, origin: Origin | None = None) -> Dataset:
    """In place of what lay there before. Rows are sorted by nothing: they stay in the order given."""
    origin = origin or Origin()
    whole = Dataset(folder, content_hash(parts), origin, parts)
    counts = {task: {split: len(whole.rows(task, split)) for split in SPLITS} for task in whole.tasks}
    about = _About(FORMAT, whole.hash, counts, origin)
    with publish(folder) as place:
        for task in whole.tasks:
            for split in SPLITS:
                _write(place / _name(task, split), whole.rows(task, split))
        (place / ABOUT).write_bytes(_ABOUT.dump_json(about, indent=1))
        card = about_rows(whole)
        (place / CARD).write_text(json.dumps(card, ensure_ascii=False, indent=1), encoding="utf-8")
        (place / "card.md").write_text(as_markdown(card), encoding="utf-8")
    return whole


def read_dataset(folder: Path) -> Dataset:
    """Whole, in memory. Raises `DatasetError` where it is missing or not what was written."""
    try:
        about = _ABOUT.validate_json((folder / ABOUT).read_bytes())
    except FileNotFoundError:
        raise DatasetError(f"{folder} is no data set: it has no {ABOUT}.") from None
    except (OSError, ValidationError) as error:
        raise _damaged(folder, _why(error)) from None
    if about.format != FORMAT:
        raise DatasetError(f"{folder} is a data set of format {about.format}; this Kefu reads {FORMAT}.")
    parts = {task: {split: _read(folder / _name(task, split)) for split in SPLITS} for task in about.tasks}
    if content_hash(parts) != about.hash:
        raise _damaged(folder, "its rows are not those that it was made with")
    return Dataset(folder, about.hash, about.origin, parts)


def content_hash(parts: Rows) -> str:
    """The same for the same rows in any order, in any folder, on any machine; lines do not count."""
    digests = sorted(
        hashlib.sha256(json.dumps([task, split, *_content(row)], ensure_ascii=True).encode()).digest()
        for task, splits in parts.items()
        for split, rows in splits.items()
        for row in rows
    )
    return hashlib.sha256(b"".join(digests)).hexdigest()


def about_rows(data: Dataset) -> dict[str, object]:
    """The data card: JSON."""
    tasks = {}
    for task in data.tasks:
        tasks[task] = {
            "rows": {split: len(data.rows(task, split)) for split in SPLITS},
            "languages": _counts(data, task, "lang"),
            "labels": _counts(data, task, "label"),
        }
    return {"hash": data.hash, "tasks": tasks, **asdict(data.origin)}


def _counts(data: Dataset, task: Task, name: Literal["lang", "label"]) -> dict[str, dict[str, int]]:
    """Rows by value and split, largest first."""
    found: dict[str, dict[str, int]] = {}
    for split in SPLITS:
        for row in data.rows(task, split):
            value = getattr(row, name) or "unknown"
            found.setdefault(value, dict.fromkeys(SPLITS, 0))[split] += 1
    return dict(sorted(found.items(), key=lambda item: (-sum(item[1].values()), item[0])))


def _content(row: Row) -> tuple[str | None, ...]:
    return row.text, row.label, row.lang, row.group, row.at


def _name(task: Task, split: Split) -> str:
    return f"{task}.{split}.jsonl"


def _write(path: Path, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(_lines(rows))


def _lines(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        told = {name: value for name, value in asdict(row).items() if value is not None}
        yield json.dumps(told, ensure_ascii=False) + "\n"


def _read(path: Path) -> tuple[Row, ...]:
    try:
        with path.open("rb") as stream:
            return tuple(_ROW.validate_json(line) for line in stream)
    except (OSError, ValidationError) as error:
        raise _damaged(path, _why(error)) from None


def _why(error: OSError | ValidationError) -> str:
    """Without what stands there: it may be somebody's words."""
    if isinstance(error, ValidationError):
        problem = error.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(map(str, problem['loc']))} {problem['msg']}".strip()
    return error.strerror or str(error)


def _damaged(path: Path, why: str) -> DatasetError:
    return DatasetError(f"{path} is damaged: {why}. Make the data set again.")
