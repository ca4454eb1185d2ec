"""Folders sealed by checksums: written whole or not at all, and a byte that changed since is found.

`seal.json` names the SHA-256 of every other file, those of sub-folders too. It has one way of being written, so that a
change of the seal itself shows as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from retrieval.model_folder import sha256_file
from retrieval.publish import publish
from training.errors import ReleaseError

SEAL = "seal.json"


@contextmanager
def sealed(folder: Path, known: Mapping[str, str] | None = None) -> Iterator[Path]:
    """A new folder to fill; on leaving it is sealed and takes the name `folder` in one step. On an error it goes.

    `known`: checksums, by relative name, of files that need not be read again; looked at on leaving.
    """
    with publish(folder) as place:
        yield place
        (place / SEAL).write_text(_written(_checksums(place, known or {})), encoding="utf-8")


def read_seal(folder: Path) -> dict[str, str]:
    """Relative name -> SHA-256 (hex). Raises ReleaseError, OSError."""
    text = (folder / SEAL).read_text(encoding="utf-8", errors="replace")
    try:
        seal = {str(name): str(digest) for name, digest in json.loads(text).items()}
    except (ValueError, AttributeError):
        seal = {}
    if not seal or text != _written(seal):
        raise ReleaseError(f"{folder}: {SEAL} has changed since it was made")
    return seal


def check_seal(folder: Path, *, only: Callable[[str], bool] = lambda name: True) -> dict[str, str]:
    """The seal; the files in it that `only` picks are read and compared. Raises ReleaseError, OSError."""
    seal = read_seal(folder)
    for name, digest in seal.items():
        if only(name) and not (folder / name).is_file():
            raise ReleaseError(f"{folder}: {name} is missing")
        if only(name) and sha256_file(folder / name) != digest:
            raise ReleaseError(f"{folder}: {name} has changed since it was made")
    return seal


def _checksums(folder: Path, known: Mapping[str, str]) -> dict[str, str]:
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: known.get(name) or sha256_file(paths[name]) for name in sorted(paths)}


def _written(seal: Mapping[str, str]) -> str:
    return json.dumps(seal, indent=1)
