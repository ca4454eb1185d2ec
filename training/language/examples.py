"""What a language model is taught, on disk: `examples.json` (format, content hash, card), `train.jsonl`, `valid.jsonl`
and `test.jsonl` with an example a line, and `CARD.md` for people. Torch-free.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar, get_args

import numpy as np
from pydantic import TypeAdapter, ValidationError

from retrieval.publish import publish
from training.card import as_markdown
from training.errors import TrainingError

ABOUT, CARD = "examples.json", "CARD.md"
FORMAT = 1
Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


class ExamplesError(TrainingError):
    """Examples are missing or cannot be read."""


class Counted(Protocol):
    """A frozen dataclass of what is taught, as far as the card counts it. `kinds`: what it teaches, once each time."""

    @property
    def lang(self) -> str: ...

    @property
    def kinds(self) -> Sequence[str]: ...


E = TypeVar("E", bound=Counted)


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
class Taken(Generic[E]):
    """Examples as they lie in a folder."""

    hash: str
    splits: Mapping[Split, tuple[E, ...]]


def write_splits(folder: Path, splits: Mapping[Split, Sequence[E]], origin: Origin, *, task: str) -> Taken[E]:
    """Whole or not at all. `task`: what is taught, for the card."""
    found = {split: tuple(splits.get(split, ())) for split in SPLITS}
    digest = _hash(found)
    card = _card(found, origin, digest, task)
    with publish(folder) as place:
        for split, rows in found.items():
            with (place / f"{split}.jsonl").open("w", encoding="utf-8") as stream:
                stream.writelines(json.dumps(_body(row), ensure_ascii=False) + "\n" for row in rows)
        about = {"format": FORMAT, "hash": digest, "card": card}
        (place / ABOUT).write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        (place / CARD).write_text(as_markdown(card), encoding="utf-8")
    return Taken(digest, found)


def read_splits(folder: Path, row: TypeAdapter[E]) -> Taken[E]:
    """Raises `ExamplesError`, which repeats nothing of what stands there: it may be somebody's words."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if about["format"] != FORMAT:
            raise ExamplesError(f"{folder} was made by another version: make the examples again")
        found: dict[Split, tuple[E, ...]] = {}
        for split in SPLITS:
            with (folder / f"{split}.jsonl").open("rb") as stream:
                found[split] = tuple(row.validate_json(line) for line in stream)
    except OSError as error:
        raise ExamplesError(f"{folder} holds no examples: {error.strerror or error}") from error
    except (ValidationError, ValueError, KeyError, TypeError):
        raise ExamplesError(f"{folder} is damaged: make the examples again") from None
    if _hash(found) != about["hash"]:
        raise ExamplesError(f"{folder} has changed since it was made: make the examples again")
    return Taken(about["hash"], found)


def sides(names: Iterable[str], seed: int, *, test: float, valid: float = 0.0) -> dict[str, Split]:
    """Shares of names, which are held out whole: what has a name in common is no test of it. At least one of each that
    is asked for.
    """
    known = sorted(set(names))
    order = [known[place] for place in np.random.default_rng(seed).permutation(len(known))]
    first, second = (max(1, round(share * len(order))) if share else 0 for share in (test, valid))
    return {
        name: "test" if place < first else "valid" if place < first + second else "train"
        for place, name in enumerate(order)
    }


def _body(row: Any) -> dict[str, Any]:
    return asdict(row)


def _hash(splits: Mapping[Split, Iterable[Any]]) -> str:
    told = [[split, [_body(row) for row in rows]] for split, rows in splits.items()]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _card(
    splits: Mapping[Split, Sequence[Counted]], origin: Origin, digest: str, task: str
) -> dict[str, Any]:
    """In the shape of `training.card`; what an example teaches stands in the place of its label."""

    def counted(names: Mapping[Split, Iterable[str]]) -> dict[str, dict[str, int]]:
        counts = {split: Counter(values) for split, values in names.items()}
        known = dict.fromkeys(value for count in counts.values() for value in sorted(count))
        return {value: {split: counts[split][value] for split in SPLITS} for value in known}

    rows = {split: len(found) for split, found in splits.items()}
    languages = counted({split: [row.lang for row in found] for split, found in splits.items()})
    labels = counted(
        {split: [kind for row in found for kind in row.kinds] for split, found in splits.items()}
    )
    return {
        "hash": digest,
        "seed": origin.seed,
        "foreign": None,
        "sources": [asdict(source) for source in origin.sources],
        "tasks": {task: {"rows": rows, "languages": languages, "labels": labels}},
        "removed": [],
        "leaks": dict(origin.leaks),
        "scrubbed": dict(origin.scrubbed),
        "notes": list(origin.notes),
    }
