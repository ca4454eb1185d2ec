"""A bundle of few entries by the encoder that needs no model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from retrieval.bundle import Bundle, build_bundle
from retrieval.embed import Vectors
from retrieval.testing import HashEncoder
from retrieval.types import Entry


def indexed(place: Path, entries: Sequence[Entry], texts: Sequence[str]) -> tuple[Bundle, Vectors]:
    """The bundle, and the vectors [len(texts), dim] of the texts by which entries are found."""
    encoder = HashEncoder()
    vectors = encoder.encode(texts)
    by_text = dict(zip(texts, vectors, strict=True))
    fingerprint = encoder.fingerprint
    return build_bundle(place, entries, by_text, encoder_fingerprint=fingerprint, revision=1), vectors
