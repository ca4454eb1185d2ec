"""The heads that were made of a bot's lesson, as a sealed folder with a name of its own. numpy alone."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from training.answerable import Answerable, read_answerable
from training.apply import Heads, load_heads
from training.errors import ReleaseError
from training.promise import Promised, read_promised
from training.sealed import SEAL, check_seal, sealed

ASKED = "asked.json"
"""Among what heads are made from: {"promise", "slips"}, what they are to keep, and what is read of mistyped texts."""


@dataclass(frozen=True, slots=True)
class LessonHeads(Heads):
    """`promised`: from which confidence on they answer; None where the bot promises nothing. `answerable`: whether the
    best candidate answers at all; None where there was too little to learn it from.
    """

    promised: Promised | None = None
    answerable: Answerable | None = None


def new_heads(releases: Path, name: str) -> AbstractContextManager[Path]:
    """A folder to fill; on leaving it is sealed and named `releases/name` in one step. On an error it goes."""
    return sealed(releases / name)


def open_heads(releases: Path, name: str) -> LessonHeads | None:
    """The heads of that name; None where there are none. Raises ReleaseError for damaged ones."""
    folder = releases / name
    if not (folder / SEAL).is_file():
        return None
    try:
        check_seal(folder)
        found = load_heads(folder)
        return LessonHeads(
            *(found.name, found.intent, found.topic, found.calibrator),
            promised=read_promised(folder),
            answerable=read_answerable(folder),
        )
    except ReleaseError as error:
        raise ReleaseError(f"{error}. Delete the folder; it is made again") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReleaseError(
            f"{folder} cannot be read ({error}). Delete the folder; it is made again"
        ) from error
