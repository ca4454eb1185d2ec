"""A release's encoder, packed for the bot's folder: what it learned, and a card that says where it came from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

from retrieval.delta import Delta
from training.delta import Wanted, write
from training.encoder import build_encoder
from training.errors import ReleaseError, SourceError
from training.progress import Report
from training.release import Release, read_release
from training.trained import read_trained


@dataclass(frozen=True, slots=True)
class Packed:
    """Paths, and the name of a release. `texts`: a JSON list; `rank`: of a matrix, at most."""

    releases: Path
    name: str
    out: Path
    cache: Path
    texts: Path
    rank: int


def pack_release(asked: Packed, *, report: Report) -> Delta:
    """Raises TrainingError: a damaged release, one without an encoder, or an encoder that cannot be packed."""
    report("read", 0, 0, f"Checking {asked.name}")
    release = read_release(asked.releases, asked.name, verify=True)
    if release.encoder_folder is None:
        raise ReleaseError(f"{asked.name} has no encoder of its own: there is nothing to pack")

    def preparing(stage: str, done: int, total: int, text: str) -> None:
        if stage != "ready":
            report("base", done, total, f"Preparing the embedded encoder: {text}")

    base = build_encoder(asked.cache, report=preparing)
    about = _about(release)
    wanted = Wanted(asked.rank, _texts(asked.texts), about, _card(about, release))
    trained = read_trained(release.folder)
    delta = write(release.encoder_folder, base, asked.out, wanted, trained=trained, report=report)
    report("done", 1, 1, str(asked.out))
    return delta


def _texts(path: Path) -> list[str]:
    try:
        return [str(text) for text in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise SourceError(f"{path} cannot be read: {error}") from error


def _about(release: Release) -> dict[str, Any]:
    made = release.made.astimezone(UTC).isoformat(timespec="seconds")
    told = {"release": release.name, "method": release.method, "made": made, "dataset": release.dataset}
    blend = release.settings.get("blend")
    return told if blend is None else {**told, "blend": blend}


def _card(about: Mapping[str, Any], release: Release) -> str:
    told = "\n".join(f"- {name}: {value}" for name, value in about.items())
    return (
        "# An encoder that was tuned for this bot\n\n"
        "What it learned, to be added to the embedded encoder. `encoder:` in bot.yml names this folder. It holds ids\n"
        f"of the texts that it was trained on, and no text.\n\n{told}\n\n{release.card}"
    )
