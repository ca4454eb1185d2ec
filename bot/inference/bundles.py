"""Bundles in a home: found whole, or built; those of encoders that may come back are kept. All of it blocks."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from retrieval.bundle import Bundle, build_bundle
from retrieval.drift import drift
from retrieval.embed import Vectors
from retrieval.errors import BundleError
from retrieval.types import Entry

log = logging.getLogger(__name__)

KEPT = 3
"""Encoders whose vectors and bundle stay on disk: the live one, the one before it, and one that is tried."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The database's answers at one revision."""

    revision: int
    entries: tuple[Entry, ...]


def bundle_name(revision: int, fingerprint: str) -> str:
    """Name of a bundle's folder in the home's `bundles`."""
    return f"{revision:08d}-{fingerprint[:12]}"


def find_bundle(bundles: Path, knowledge: Knowledge, fingerprint: str) -> Bundle | None:
    """A damaged bundle is made again, and so is one that says otherwise than the database."""
    folder = bundles / bundle_name(knowledge.revision, fingerprint)
    try:
        bundle = Bundle.open(folder, encoder_fingerprint=fingerprint)
    except BundleError as error:
        if folder.exists():
            log.warning("the index is made again: %s", error)
        return None
    if away := drift(knowledge.entries, bundle.entries):
        log.warning("the index is made again: the database has other answers (%s)", away)
        return None
    os.utime(folder)
    return bundle


def make_bundle(
    bundles: Path, knowledge: Knowledge, fingerprint: str, *, known: Mapping[str, Vectors]
) -> Bundle:
    """`known`: float32 [dim] for every text of the entries."""
    bundle = build_bundle(
        bundles / bundle_name(knowledge.revision, fingerprint), knowledge.entries, known,
        encoder_fingerprint=fingerprint, revision=knowledge.revision,
    )  # fmt: skip
    prune_bundles(bundles)
    return bundle


def kept_vectors(bundles: Path, fingerprint: str) -> dict[str, Vectors]:
    """float32 [dim] for every text of the newest bundle that is kept of this encoder; empty where there is none."""
    for folder in _newest_first(bundles):
        if _encoder(folder) == fingerprint[:12]:
            try:
                return Bundle.open(folder, encoder_fingerprint=fingerprint).vectors_by_text()
            except BundleError:
                return {}
    return {}


def prune_bundles(bundles: Path) -> None:
    """The newest of each of the encoders used last stays. An open one is in memory and needs its files no more."""
    kept: set[str] = set()
    for folder in _newest_first(bundles):
        if folder.name.startswith(".") or _encoder(folder) in kept or len(kept) == KEPT:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            kept.add(_encoder(folder))


def _newest_first(bundles: Path) -> list[Path]:
    folders = [folder for folder in bundles.iterdir() if folder.is_dir()] if bundles.is_dir() else []
    return sorted(folders, key=lambda folder: folder.stat().st_mtime_ns, reverse=True)


def _encoder(folder: Path) -> str:
    return folder.name.rpartition("-")[2]
