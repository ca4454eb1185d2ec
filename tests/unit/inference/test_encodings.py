"""Which encoder a release answers with, and that a damaged one is found before it is loaded."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.errors import InferenceError
from bot.inference.encodings import Encoding, HomeEncodings
from retrieval.model_folder import Manifest, checksums, locate, read_manifest
from retrieval.onnx_encoder import fingerprint
from training.evaluation import Evaluation
from training.registry import Draft, add_release


def silent(text: str, done: int, total: int) -> None:
    pass


def folder(place: Path, graph: bytes) -> Path:
    """Whole, and no model."""
    place.mkdir(parents=True)
    (place / "encoder.onnx").write_bytes(graph)
    (place / "tokenizer.json").write_bytes(b"{}")
    (place / "model.safetensors").write_bytes(b"for training on")
    Manifest("small", 64, 512, 1, "<pad>", "mean", "query: ", checksums(place)).write(place)
    return place


def find(encodings: HomeEncodings, release: str) -> Encoding:
    return asyncio.run(encodings.find(release, progress=silent))


@pytest.fixture
def encodings(tmp_path: Path) -> HomeEncodings:
    folder(locate(tmp_path / "cache"), b"stock")
    return HomeEncodings(tmp_path / "releases", tmp_path / "cache", "embedded", threads=1)


def added(encodings: HomeEncodings, encoder: Path | None) -> Path:
    """The folder of a release."""
    stock = read_manifest(locate(encodings.cache)).fingerprint
    draft = Draft("full" if encoder else "head", stock, Evaluation({}), "", encoder=encoder)
    return add_release(encodings.releases, draft, now=datetime.now(UTC)).folder


def test_a_release_has_its_own_encoder_or_that_of_the_settings(
    encodings: HomeEncodings, tmp_path: Path
) -> None:
    tuned = folder(tmp_path / "tuned", b"tuned")
    base = find(encodings, "base")
    own = find(encodings, added(encodings, tuned).name)
    head = find(encodings, added(encodings, None).name)
    assert own.fingerprint == fingerprint(read_manifest(tuned)) != base.fingerprint
    assert head == base


@pytest.mark.parametrize("file", ["encoder.onnx", "tokenizer.json"])
def test_a_changed_byte_in_what_is_served_is_found(
    encodings: HomeEncodings, tmp_path: Path, file: str
) -> None:
    release = added(encodings, folder(tmp_path / "tuned", b"tuned"))
    stock = locate(encodings.cache)
    for name, place in ((release.name, release / "encoder"), ("base", stock)):
        raw = bytearray((place / file).read_bytes())
        raw[-1] ^= 1
        (place / file).write_bytes(raw)
        with pytest.raises(InferenceError, match=f"{file} has changed"):
            find(encodings, name)


def test_a_release_that_is_not_there_is_named(encodings: HomeEncodings) -> None:
    with pytest.raises(InferenceError, match="There is no release gone"):
        find(encodings, "gone")


def test_an_encoder_that_cannot_be_loaded_is_an_error_that_says_so(encodings: HomeEncodings) -> None:
    found = find(encodings, "base")
    with pytest.raises(InferenceError, match="cannot be loaded as an encoder"):
        asyncio.run(found.open())
    with pytest.raises(InferenceError, match="cannot be loaded as an encoder"):
        asyncio.run(found.embed(["a text"], progress=silent))
