"""The heads that were made of a bot's lesson, as a sealed folder with a name of its own. numpy alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.answerable import Answerable, read_answerable
from training.apply import Heads, load_heads
from training.errors import ReleaseError
from training.promise import Promised, read_promised
from training.sealed import SEAL, check_seal, sealed

ASKED = "asked.json"
"""Among what heads are made from: {"promise", "slips"}, what they are to keep, and what is read of mistyped texts."""

CARD, CURVES = "card.json", "curves"
"""For people, and what of it a page draws."""


@dataclass(frozen=True, slots=True)
class LessonHeads(Heads):
    """`promised`: from which confidence on they answer; None where the bot promises nothing. `answerable`: whether the
    best candidate answers at all; None where there was too little to learn it from.
    """

    promised: Promised | None = None
    answerable: Answerable | None = None
    curves: Mapping[str, Any] = field(default_factory=dict)
    """By language, for a page (`training.bounds.curves_of`); empty where there was too little, and in older heads."""


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
            curves=_curves(folder),
        )
    except ReleaseError as error:
        raise ReleaseError(f"{error}. Delete the folder; it is made again") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReleaseError(
            f"{folder} cannot be read ({error}). Delete the folder; it is made again"
        ) from error


def _curves(folder: Path) -> Mapping[str, Any]:
    path = folder / CARD
    found: dict[str, Any] = (
        json.loads(path.read_text(encoding="utf-8")).get(CURVES, {}) if path.is_file() else {}
    )
    return found
