"""A release: what one training run left for a bot, as a sealed folder that is looked at in milliseconds.

    NAME/release.json     what it is (`Release`)
    NAME/evaluation.json  how good it is, on the texts it was judged by
    NAME/baselines.json   how good other releases are on the same texts, by name; the gate compares with these
    NAME/card.md          the same for people
    NAME/trained.json     checksums of the texts that its encoder was trained on; absent where it was not
    NAME/encoder/         its encoder; absent where it answers with the bot's base
    NAME/seal.json        checksums of all of these

`base` is a release without a folder: the encoder that a bot has by itself, of bot.yml or the settings. It always
exists.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from retrieval.errors import EncoderError
from retrieval.model_folder import read_manifest
from training.errors import ReleaseError
from training.evaluation import EVALUATION, Evaluation, from_json
from training.sealed import check_seal
from training.trained import TRAINED

FORMAT = 1
BASE = "base"
ABOUT, BASELINES, CARD = "release.json", "baselines.json", "card.md"
ENCODER = "encoder"
SMALL = (ABOUT, EVALUATION, BASELINES, CARD, TRAINED, f"{ENCODER}/manifest.json")
"""Read and compared whenever a release is looked at; of the rest sizes are, until it is promoted or loaded."""

JSON = Mapping[str, Any]
EMPTY = Evaluation({})


@dataclass(frozen=True, slots=True)
class EncoderOf:
    """`source`: "folder" (in the release) or "embedded" (the bot's base); `fingerprint`: as the server has it."""

    source: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Release:
    """`dataset` and `spec` are content hashes (hex); `parent`: the release that was live when it was made."""

    name: str
    made: datetime
    method: str
    encoder: EncoderOf
    dataset: str = ""
    spec: str = ""
    parent: str = BASE
    settings: JSON = field(default_factory=dict)
    evaluation: Evaluation = EMPTY
    baselines: Mapping[str, Evaluation] = field(default_factory=dict)
    card: str = ""
    folder: Path = Path()

    @property
    def encoder_folder(self) -> Path | None:
        """None: the bot's base."""
        return self.folder / ENCODER if self.encoder.source == "folder" else None

    def about(self) -> dict[str, Any]:
        """What `release.json` holds."""
        told = {name: getattr(self, name) for name in ("name", "method", "dataset", "spec", "parent")}
        made = self.made.astimezone(UTC).isoformat(timespec="seconds")
        settings = dict(self.settings)
        return {**told, "made": made, "encoder": asdict(self.encoder), "settings": settings, "format": FORMAT}


def read_release(releases: Path, name: str, *, verify: bool = False) -> Release:
    """Checked as `SMALL` says; with `verify` every byte is (about a second for 450 MB). Raises ReleaseError."""
    folder = releases / name
    if not folder.is_dir():
        raise ReleaseError(f"There is no release {name} in {releases}")
    try:
        check_seal(folder, only=lambda file: verify or file in SMALL)
        release = _parse(folder)
        if release.encoder_folder is not None:
            read_manifest(release.encoder_folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReleaseError(f"{folder} cannot be read ({error})") from error
    except EncoderError as error:
        raise ReleaseError(str(error).partition(". Delete")[0]) from error
    if release.name != name:
        raise ReleaseError(f"{folder} was renamed: it is {release.name}")
    return release


def _parse(folder: Path) -> Release:
    about = _json(folder / ABOUT)
    if about.pop("format") != FORMAT:
        raise ReleaseError(f"{folder} is of a later Kefu: upgrade Kefu")
    about |= {"encoder": EncoderOf(**about["encoder"]), "made": datetime.fromisoformat(about["made"])}
    card = (folder / CARD).read_text(encoding="utf-8")
    evaluation = from_json(_json(folder / EVALUATION))
    baselines = {name: from_json(body) for name, body in _json(folder / BASELINES).items()}
    return Release(**about, evaluation=evaluation, baselines=baselines, card=card, folder=folder)


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
