"""A folder or files that others see whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
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


def publish_files(contents: Mapping[Path, str]) -> None:
    """Each file takes its name whole and on disk for good, in this order; where one cannot be written, none does.

    Raises OSError.
    """
    drafts: dict[Path, Path] = {}
    try:
        for path, text in contents.items():
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            drafts[path] = Path(name)
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(handle)
            drafts[path].chmod(0o644)
        for path, draft in drafts.items():
            os.replace(draft, path)
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def keep_newest(files: Iterable[Path], keep: int) -> None:
    """Of files that are made again when they are needed, those written or touched last stay."""
    for path in sorted(files, key=lambda path: path.stat().st_mtime_ns, reverse=True)[keep:]:
        path.unlink(missing_ok=True)


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
