"""Which texts an encoder was trained on: what it has learned by heart looks easier than what customers will ask.

Whoever judges it needs to tell them apart. Checksums are enough for that; the texts are not kept. Torch-free.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from retrieval.text import identity
from training.dataset import TASKS, Dataset, Split
from training.errors import TrainingError

TRAINED = "trained.json"
"""A list of ids of texts, sorted."""
LENGTH = 16
"""Hexadecimal digits of an id: of a million texts two share one with a chance of 1 in 37 million."""


def text_id(text: str) -> str:
    """The beginning of the SHA-256 (hex) of its normal form."""
    return identity(text)[:LENGTH]


def of_dataset(data: Dataset, *splits: Split) -> frozenset[str]:
    """Ids of the texts of those splits."""
    return frozenset(
        text_id(row.text) for task in TASKS for split in splits for row in data.rows(task, split)
    )


def write_trained(folder: Path, ids: Iterable[str]) -> None:
    (folder / TRAINED).write_text(json.dumps(sorted(ids)) + "\n", encoding="utf-8")


def read_trained(*folders: Path) -> frozenset[str]:
    """What any of them names; empty where nothing is kept: the encoder is as it came. Raises TrainingError."""
    return frozenset(one for folder in folders for one in _read(folder / TRAINED))


def _read(path: Path) -> list[str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
        return [one[:LENGTH] for one in found]  # they were whole checksums once
    except (OSError, ValueError, TypeError) as error:
        raise TrainingError(f"{path} cannot be read ({error})") from error
