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
"""A list of SHA-256 (hex) of normalised texts, sorted."""


def of_dataset(data: Dataset, *splits: Split) -> frozenset[str]:
    """Ids of the texts of those splits."""
    return frozenset(
        identity(row.text) for task in TASKS for split in splits for row in data.rows(task, split)
    )


def write_trained(folder: Path, ids: Iterable[str]) -> None:
    (folder / TRAINED).write_text(json.dumps(sorted(ids)) + "\n", encoding="utf-8")


def read_trained(folder: Path) -> frozenset[str]:
    """Empty where nothing is kept: the encoder is as it came. Raises TrainingError."""
    path = folder / TRAINED
    try:
        return frozenset(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else frozenset()
    except (OSError, ValueError, TypeError) as error:
        raise TrainingError(f"{path} cannot be read ({error})") from error
