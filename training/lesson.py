"""The heads that were made of a bot's lesson, as a sealed folder with a name of its own. numpy alone."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from training.apply import Heads, load_heads
from training.errors import ReleaseError
from training.sealed import SEAL, check_seal, sealed


def new_heads(releases: Path, name: str) -> AbstractContextManager[Path]:
    """A folder to fill; on leaving it is sealed and named `releases/name` in one step. On an error it goes."""
    return sealed(releases / name)


def open_heads(releases: Path, name: str) -> Heads | None:
    """The heads of that name; None where there are none. Raises ReleaseError for damaged ones."""
    folder = releases / name
    if not (folder / SEAL).is_file():
        return None
    try:
        check_seal(folder)
        return load_heads(folder)
    except ReleaseError as error:
        raise ReleaseError(f"{error}. Delete the folder; it is made again") from error
    except (OSError, ValueError, KeyError) as error:
        raise ReleaseError(
            f"{folder} cannot be read ({error}). Delete the folder; it is made again"
        ) from error
