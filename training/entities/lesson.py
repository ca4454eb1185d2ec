"""What a bot's tagger is learned from, and the tagger that came of it, as a sealed folder. numpy alone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from training.entities.spec import Example, KindSpec
from training.entities.tagger import Tagger, load_tagger
from training.errors import ReleaseError
from training.sealed import SEAL, check_seal

METHOD = "tagger-2"
"""Changes whenever the same input would give another tagger."""


@dataclass(frozen=True, slots=True)
class EntityLesson:
    """What a tagger is made from. `encoder`: its fingerprint."""

    kinds: dict[str, KindSpec]
    examples: tuple[Example, ...]
    encoder: str

    @property
    def name(self) -> str:
        """Content hash: the same lesson is never learned twice."""
        parts = [METHOD, self.encoder, {k: asdict(spec) for k, spec in self.kinds.items()}]
        rows = sorted([example.text, *map(asdict, example.spans)] for example in self.examples)
        text = json.dumps([*parts, rows], ensure_ascii=False, sort_keys=True)
        return f"tagger-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


_LESSON = TypeAdapter(EntityLesson)
FILE = "entities.json"


def read_lesson(work: Path) -> EntityLesson:
    return _LESSON.validate_json((work / FILE).read_bytes())


def write_lesson(work: Path, lesson: EntityLesson) -> None:
    (work / FILE).write_bytes(_LESSON.dump_json(lesson))


def open_tagger(releases: Path, name: str) -> Tagger | None:
    """The tagger of that name; None where there is none, or none that is whole: it is made again."""
    folder = releases / name
    if not (folder / SEAL).is_file():
        return None
    try:
        check_seal(folder)
        return load_tagger(folder)
    except (ReleaseError, OSError, ValueError, KeyError):
        return None
