"""What mends slips by a bot's own words, kept between starts: what was counted is sooner read than counted again. All
of it blocks.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from retrieval.publish import keep_newest, publish_files
from retrieval.slips.mender import Mender

log = logging.getLogger(__name__)

FORMAT = "menders-1"
"""Changes whenever the same texts would be counted otherwise."""
KEPT = 2
"""Sets of texts whose counts stay on disk: today's, and those before."""


def find_mender(folder: Path, texts: Sequence[str]) -> Mender:
    """Of these texts: as it was kept, or made and kept. One that cannot be kept is as good."""
    told = json.dumps([FORMAT, *texts], ensure_ascii=True)
    path = folder / f"{hashlib.sha256(told.encode()).hexdigest()[:16]}.json"
    if (kept := _read(path)) is not None:
        return kept
    made = Mender.of(texts)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        body = json.dumps(made.counted(), ensure_ascii=False)
        publish_files({path: f"{_sum(body)}\n{body}"})
        keep_newest(folder.glob("*.json"), KEPT)
    return made


def _read(path: Path) -> Mender | None:
    """A file that was damaged is as none."""
    try:
        checksum, _, body = path.read_text(encoding="utf-8").partition("\n")
        if checksum == _sum(body):
            return Mender.again(json.loads(body))
        log.warning("%s has changed: the words of the bot are counted again", path.name)
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        log.warning("%s cannot be read (%s): the words of the bot are counted again", path.name, error)
    return None


def _sum(body: str) -> str:
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
