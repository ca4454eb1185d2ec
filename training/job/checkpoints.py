"""What a job has done so far, on disk: each checkpoint whole or not at all, checked when read, the last two kept."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.publish import leftovers
from training.errors import ReleaseError
from training.sealed import check_seal, sealed

KEPT = 2
TENSORS = "state.safetensors"
_ABOUT = "about.json"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    number: int
    tensors: Path
    about: dict[str, Any]


class Checkpoints:
    """Those of one stage, under numbers that grow."""

    def __init__(self, folder: Path, *, kept: int = KEPT) -> None:
        self._folder, self._kept = folder, kept
        for stale in leftovers(folder):
            shutil.rmtree(stale, ignore_errors=True)

    def write(self, number: int, save: Callable[[Path], None], about: dict[str, Any]) -> None:
        """`save` writes the tensors. Older ones go once this one is there. Raises OSError: nothing is lost then."""
        with sealed(self._folder / f"{number:09}") as place:
            with saving():
                save(place / TENSORS)
            (place / _ABOUT).write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
        for old in self._places()[self._kept :]:
            shutil.rmtree(old, ignore_errors=True)

    def last(self) -> Checkpoint | None:
        """The newest one that is whole; what is damaged is removed."""
        return next(self.whole(), None)

    def whole(self) -> Iterator[Checkpoint]:
        """Newest first."""
        for place in self._places():
            if (about := _read(place)) is None:
                shutil.rmtree(place, ignore_errors=True)
            else:
                yield Checkpoint(int(place.name), place / TENSORS, about)

    def clear(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _places(self) -> list[Path]:
        found = self._folder.iterdir() if self._folder.is_dir() else ()
        return sorted((place for place in found if place.name.isdecimal()), reverse=True)


def _read(place: Path) -> dict[str, Any] | None:
    try:
        check_seal(place)
        about: dict[str, Any] = json.loads((place / _ABOUT).read_text(encoding="utf-8"))
        return about
    except (ReleaseError, OSError, ValueError):
        return None


@contextmanager
def saving() -> Iterator[None]:
    """The libraries that write files tell of a full disk each in its own way: OSError here."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        found = re.search(r"os error (\d+)", str(error))
        number = int(found.group(1)) if found else 0
        if number not in errno.errorcode:
            raise
        raise OSError(number, os.strerror(number)) from error
