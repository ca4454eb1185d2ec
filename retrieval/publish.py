"""A folder that others see whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def publish(folder: Path) -> Iterator[Path]:
    """Gives a new folder beside `folder` to fill; on leaving without an error it takes the name, on disk for
    good.

    What lay there before is gone afterwards. Readers that have its files open keep them. Readable to all
    accounts: a server often runs under another one than whoever made the folder.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield work
        _sync(work)
        _swap(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def leftovers(parent: Path) -> list[Path]:
    """Folders of `publish` that were never finished: what a crash left, or what is being made right now."""
    return sorted(path for path in parent.glob(".*.*") if path.is_dir()) if parent.is_dir() else []


def _sync(work: Path) -> None:
    """Contents before the name: a power cut must not leave a torn folder under the final name."""
    for path in [*work.rglob("*"), work]:
        path.chmod(0o755 if path.is_dir() else 0o644)
        _fsync(path)


def _swap(work: Path, folder: Path) -> None:
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        if folder.exists():
            os.replace(folder, old / folder.name)
        os.replace(work, folder)
        _fsync(folder.parent)
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
