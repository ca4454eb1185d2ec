"""What a generator is taught: questions, the passages that it is given, and what it should say. Torch-free.

A folder: `examples.json` (format, content hash, card), `train.jsonl`, `valid.jsonl`, `test.jsonl` with an `Example` a
line, and `CARD.md` for people. Prompts are written by whoever asks the model later, word for word as it will be asked.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import TypeAdapter, ValidationError

from retrieval.publish import publish
from training.card import as_markdown
from training.errors import TrainingError

ABOUT, CARD = "examples.json", "CARD.md"
FORMAT = 1
Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
ANSWER, REFUSAL = "answer", "refusal"
TASK = "generator"


class ExamplesError(TrainingError):
    """Examples are missing or cannot be read."""


@dataclass(frozen=True, slots=True)
class Given:
    """A passage as it stood in the prompt."""

    mark: int
    title: str
    text: str
    whole: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """`prompt`: text to go on with, or the messages of a chat. `gold`: mark of the passage that holds the answer; None:
    none does, and `answer` is the refusal. `group`: what has a group in common stands in one split.
    """

    id: str
    prompt: str | tuple[Mapping[str, str], ...]
    answer: str
    lang: str
    question: str
    passages: tuple[Given, ...]
    gold: int | None
    group: str
    source: str

    @property
    def kind(self) -> str:
        return REFUSAL if self.gold is None else ANSWER


@dataclass(frozen=True, slots=True)
class Source:
    """Where examples come from, for the card. `kind`: folder or store."""

    name: str
    kind: str
    rows: int
    terms: str
    taken: str


@dataclass(frozen=True, slots=True)
class Origin:
    """What the card says beside counts. `scrubbed`: masked places by kind; `leaks`: rows by what was looked for."""

    seed: int
    sources: tuple[Source, ...]
    scrubbed: Mapping[str, int]
    leaks: Mapping[str, int]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Examples:
    hash: str
    splits: Mapping[Split, tuple[Example, ...]]


_ROW = TypeAdapter(Example)


def write_examples(folder: Path, splits: Mapping[Split, Sequence[Example]], origin: Origin) -> Examples:
    """Whole or not at all."""
    found = {split: tuple(splits.get(split, ())) for split in SPLITS}
    digest = _hash(found)
    card = _card(found, origin, digest)
    with publish(folder) as place:
        for split, rows in found.items():
            with (place / f"{split}.jsonl").open("w", encoding="utf-8") as stream:
                stream.writelines(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)
        about = {"format": FORMAT, "hash": digest, "card": card}
        (place / ABOUT).write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        (place / CARD).write_text(as_markdown(card), encoding="utf-8")
    return Examples(digest, found)


def read_examples(folder: Path) -> Examples:
    """Raises `ExamplesError`, which repeats nothing of what stands there: it may be somebody's words."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if about["format"] != FORMAT:
            raise ExamplesError(f"{folder} was made by another version: make the examples again")
        found: dict[Split, tuple[Example, ...]] = {}
        for split in SPLITS:
            with (folder / f"{split}.jsonl").open("rb") as stream:
                found[split] = tuple(_ROW.validate_json(line) for line in stream)
    except OSError as error:
        raise ExamplesError(f"{folder} holds no examples: {error.strerror or error}") from error
    except (ValidationError, ValueError, KeyError, TypeError):
        raise ExamplesError(f"{folder} is damaged: make the examples again") from None
    if _hash(found) != about["hash"]:
        raise ExamplesError(f"{folder} has changed since it was made: make the examples again")
    return Examples(about["hash"], found)


def _hash(splits: Mapping[Split, Iterable[Example]]) -> str:
    told = [[split, [asdict(row) for row in rows]] for split, rows in splits.items()]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _card(splits: Mapping[Split, Sequence[Example]], origin: Origin, digest: str) -> dict[str, Any]:
    """In the shape of `training.card`; what an example teaches stands in the place of its label."""

    def counted(name: str) -> dict[str, dict[str, int]]:
        counts = {split: Counter(getattr(row, name) for row in rows) for split, rows in splits.items()}
        names = dict.fromkeys(value for count in counts.values() for value in sorted(count))
        return {value: {split: counts[split][value] for split in SPLITS} for value in names}

    rows = {split: len(rows) for split, rows in splits.items()}
    return {
        "hash": digest,
        "seed": origin.seed,
        "foreign": None,
        "sources": [asdict(source) for source in origin.sources],
        "tasks": {TASK: {"rows": rows, "languages": counted("lang"), "labels": counted("kind")}},
        "removed": [],
        "leaks": dict(origin.leaks),
        "scrubbed": dict(origin.scrubbed),
        "notes": list(origin.notes),
    }
