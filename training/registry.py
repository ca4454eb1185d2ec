"""Releases on disk: a folder each, sealed by checksums, found by name. Torch-free: the server reads it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retrieval.publish import publish
from training.apply import Heads, load_heads
from training.errors import TrainingError

SEAL = "seal.json"


class ReleaseError(TrainingError):
    """A release is missing, damaged or of another format."""


@contextmanager
def new_release(releases: Path, name: str) -> Iterator[Path]:
    """A folder to fill; on leaving it is sealed and renamed to `releases/name` in one step. On an error it goes."""
    with publish(releases / name) as place:
        yield place
        _seal(place)


def open_release(releases: Path, name: str) -> Heads | None:
    """The heads of a sealed release; None where there is none. Raises ReleaseError for a damaged one."""
    folder = releases / name
    if not (folder / SEAL).is_file():
        return None
    try:
        seal = json.loads((folder / SEAL).read_text(encoding="utf-8"))
        if {n: _digest(folder / n) for n in seal} != seal:
            raise ReleaseError(
                f"{folder}: a file has changed since it was made. Delete the folder; it is made again."
            )
        return load_heads(folder)
    except (OSError, ValueError, KeyError) as error:
        raise ReleaseError(
            f"{folder} cannot be read ({error}). Delete the folder; it is made again."
        ) from error


def _seal(folder: Path) -> None:
    files = {path.name: _digest(path) for path in sorted(folder.iterdir()) if path.is_file()}
    (folder / SEAL).write_text(json.dumps(files, indent=1), encoding="utf-8")


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
