"""Releases on disk: a sealed folder each, added whole or not at all, found by name. Torch-free: the server reads it.

A release holds all it needs. Where an older one has a file of the same content, the new one gets another name of that
file instead of a copy (a hard link), so ten releases of one encoder take the room of one, and each may still be removed
alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from retrieval.errors import EncoderError
from retrieval.model_folder import MANIFEST, Manifest, read_manifest, sha256_file
from retrieval.onnx_encoder import fingerprint
from retrieval.publish import leftovers
from training.errors import ReleaseError
from training.evaluation import EVALUATION, Evaluation, to_json
from training.release import (
    ABOUT,
    BASE,
    BASELINES,
    CARD,
    ENCODER,
    JSON,
    EncoderOf,
    Release,
    read_release,
)
from training.sealed import read_seal, sealed
from training.trained import write_trained

KEEP = 5
"""Releases that `prune` leaves beside those with an alias."""
SPARE = 64_000_000
"""Bytes that adding a release leaves free."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a training run hands over. `encoder`: a folder as `training.encoder` makes; None: the bot's base.

    `fingerprint`: of the encoder it was judged with, as the server knows it. `baselines`: evaluations of other releases
    on the same texts, by name; without that of the live release the gate may have nothing to compare with.
    """

    method: str
    fingerprint: str
    evaluation: Evaluation
    card: str
    dataset: str = ""
    spec: str = ""
    parent: str = BASE
    settings: JSON = field(default_factory=dict)
    baselines: Mapping[str, Evaluation] = field(default_factory=dict)
    encoder: Path | None = None
    trained: Collection[str] = ()
    """Ids of the texts that the encoder was trained on (`training.trained`)."""


@dataclass(frozen=True, slots=True)
class Found:
    """A name and what stands behind it. `release` is None for `base`, and where `trouble` says why there is none."""

    name: str
    release: Release | None = None
    trouble: str = ""


def add_release(releases: Path, draft: Draft, *, now: datetime) -> Release:
    """Kept for good when it returns. The same draft again, on the same day, is the release that is there already.

    Raises ReleaseError, and leaves nothing behind, for a damaged encoder or where there is no room.
    """
    with registry_lock(releases):
        for stale in leftovers(releases):  # of a run that was killed; nobody else adds under the lock
            if stale.name[1:5].isdigit():
                shutil.rmtree(stale, ignore_errors=True)
        try:
            return _add(releases, draft, now)
        except EncoderError as error:
            raise ReleaseError(str(error)) from error
        except OSError as error:
            raise ReleaseError(
                f"The release cannot be kept in {releases}: {error.strerror or error}"
            ) from error


def list_releases(releases: Path) -> list[Found]:
    """Every release but `base`, newest first; damaged ones last."""
    folders = [path for path in releases.iterdir() if _is_release(path)] if releases.is_dir() else []
    found = [find_release(releases, folder.name) for folder in folders]
    whole = sorted(
        (f for f in found if f.release), key=lambda f: (f.release and f.release.made, f.name), reverse=True
    )
    return [*whole, *sorted((f for f in found if not f.release), key=lambda f: f.name)]


def find_release(releases: Path, name: str, *, verify: bool = False) -> Found:
    """As `read_release`, with the trouble said instead of raised."""
    if name == BASE:
        return Found(BASE)
    try:
        return Found(name, read_release(releases, name, verify=verify))
    except ReleaseError as error:
        return Found(name, trouble=str(error))


def resolve(names: Iterable[str], releases: Path, *, verify: bool = False) -> list[Found]:
    """What a server tries, in this order: `names` (live, then previous), each once, and `base` in the end.

    Those with a `trouble` cannot be served: it is said, and the next one tried. With `verify` every byte is read.
    """
    return [find_release(releases, name, verify=verify) for name in dict.fromkeys([*names, BASE])]


def remove_release(releases: Path, name: str, *, aliased: Collection[str]) -> None:
    """Gone from one moment to the next; a server that has its files open keeps them. Raises ReleaseError."""
    if name == BASE or name in aliased:
        raise ReleaseError(f"{name} is in use and stays")
    if name != Path(name).name or not _is_release(releases / name):
        raise ReleaseError(f"There is no release {name} in {releases}")
    grave = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=releases))
    try:
        os.replace(releases / name, grave / name)
    except OSError as error:
        raise ReleaseError(f"{releases / name} cannot be removed: {error.strerror}") from error
    finally:
        shutil.rmtree(grave, ignore_errors=True)


def outdated(found: Iterable[Found], *, aliased: Collection[str], keep: int = KEEP) -> list[str]:
    """Names that are to go: all but the newest `keep`, those with an alias, and `base`. Damaged ones go first."""
    loose = [f for f in found if f.name not in aliased and f.name != BASE]
    whole = [f.name for f in loose if f.release]
    return [*(f.name for f in loose if not f.release), *whole[keep:]]


@contextmanager
def registry_lock(releases: Path) -> Iterator[None]:
    """Adding, removing and promoting follow one another, also between processes of a machine. Raises ReleaseError."""
    lock = FileLock(releases / "registry.lock")
    try:
        releases.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise ReleaseError(f"{releases} cannot be written: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()


def _is_release(folder: Path) -> bool:
    """Heads lie here as well, and have no such file; a folder that lost it is recognised by its encoder."""
    inside = (folder / ABOUT, folder / EVALUATION, folder / ENCODER)
    return not folder.name.startswith(".") and any(path.exists() for path in inside)


_APART = ("fingerprint", "encoder", "trained")


def _add(releases: Path, draft: Draft, now: datetime) -> Release:
    manifest = read_manifest(draft.encoder) if draft.encoder else None
    encoder = (
        EncoderOf("folder", fingerprint(manifest)) if manifest else EncoderOf("embedded", draft.fingerprint)
    )
    told = {f.name: getattr(draft, f.name) for f in fields(draft) if f.name not in _APART}
    release = Release("", now, encoder=encoder, **told)
    name, there = _name(releases, release)
    if there is not None:
        return there
    twins = _twins(releases) if manifest else {}
    if manifest is not None:
        _expect_room(releases, manifest, twins)
    _write(replace(release, name=name, folder=releases / name), draft, twins)
    return read_release(releases, name)


def _name(releases: Path, release: Release) -> tuple[str, Release | None]:
    """2026-11-26-full-3f2a: day (UTC), method, and as much of the content's hash as tells it from others.

    With the release of that name where it is the same one. A damaged one is made anew under its name.
    """
    digest = _content(release)
    day = release.made.astimezone(UTC)
    for length in range(4, len(digest) + 1):
        name = f"{day:%Y-%m-%d}-{release.method}-{digest[:length]}"
        there = find_release(releases, name).release
        if there is None or _content(there) == digest:
            return name, there
    raise AssertionError("two contents of one hash")


def _content(release: Release) -> str:
    told = {**release.about(), "name": "", "made": ""}
    parts = [told, to_json(release.evaluation), _baselines(release), release.card]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _baselines(release: Release) -> dict[str, Any]:
    return {name: to_json(evaluation) for name, evaluation in release.baselines.items()}


def _twins(releases: Path) -> dict[str, list[Path]]:
    """Files of the encoders that are here, by checksum."""
    twins: dict[str, list[Path]] = {}
    for folder in filter(_is_release, releases.iterdir()):
        with suppress(ReleaseError, OSError):
            for name, digest in read_seal(folder).items():
                if name.startswith(f"{ENCODER}/"):
                    twins.setdefault(digest, []).append(folder / name)
    return twins


def _expect_room(releases: Path, manifest: Manifest, twins: Mapping[str, object]) -> None:
    """Before anything is copied: a disk that is filled to the brim stops the server beside us as well."""
    need = SPARE + sum(size for digest, size in manifest.files.values() if digest not in twins)
    free = shutil.disk_usage(releases).free
    if free < need:
        raise ReleaseError(
            f"The release needs {need / 1e6:.0f} MB in {releases}, and {free / 1e6:.0f} MB are free. Make room: "
            "`kefu releases prune`"
        )


def _write(release: Release, draft: Draft, twins: Mapping[str, list[Path]]) -> None:
    known: dict[str, str] = {}
    with sealed(release.folder, known) as place:
        if draft.encoder is not None:
            known |= _take_encoder(draft.encoder, place / ENCODER, twins)
        if draft.trained:
            write_trained(place, draft.trained)
        bodies = {
            ABOUT: release.about(), EVALUATION: to_json(release.evaluation), BASELINES: _baselines(release)
        }  # fmt: skip
        for name, body in bodies.items():
            text = json.dumps(body, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
            (place / name).write_text(text, encoding="utf-8")
        (place / CARD).write_text(release.card, encoding="utf-8")


def _take_encoder(encoder: Path, place: Path, twins: Mapping[str, list[Path]]) -> dict[str, str]:
    """The checksums of what was taken, by its name in the release."""
    files = read_manifest(encoder).files
    for name, (digest, _) in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        _take(encoder / name, place / name, digest=digest, twins=twins.get(digest, ()))
    shutil.copyfile(encoder / MANIFEST, place / MANIFEST)
    return {f"{ENCODER}/{name}": digest for name, (digest, _) in files.items()}


def _take(source: Path, target: Path, *, digest: str, twins: Iterable[Path]) -> None:
    """Never a link to `source`: whoever made it may go on writing there."""
    for twin in twins:
        with suppress(OSError):  # some file systems have no links, or no more of them
            os.link(twin, target)
            if sha256_file(target) == digest:
                return
            target.unlink()
    shutil.copyfile(source, target)
    if sha256_file(target) != digest:
        raise ReleaseError(f"{source} has changed since the encoder was made: train again")
