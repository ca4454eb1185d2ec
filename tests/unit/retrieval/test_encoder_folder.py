from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from retrieval.errors import EncoderError
from retrieval.model_folder import Manifest, checksums, is_ready, locate, read_manifest
from retrieval.onnx_encoder import OnnxEncoder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "encoder.onnx").write_bytes(b"graph")
    Manifest("m", 8, 512, 1, "<pad>", "mean", "query: ", checksums(tmp_path)).write(tmp_path)
    return tmp_path


def test_a_manifest_comes_back_with_its_fingerprint(folder: Path) -> None:
    manifest = read_manifest(folder, verify=True)
    assert manifest.dim == 8
    assert manifest.files == {"encoder.onnx": checksums(folder)["encoder.onnx"]}
    assert len(manifest.fingerprint) == 64
    assert replace(manifest, prefix="").fingerprint != manifest.fingerprint
    assert is_ready(folder)


def test_a_file_cut_short_is_noticed_at_once_and_a_changed_one_when_asked(folder: Path) -> None:
    (folder / "encoder.onnx").write_bytes(b"Graph")
    assert is_ready(folder)
    with pytest.raises(EncoderError, match="has changed"):
        read_manifest(folder, verify=True)
    (folder / "encoder.onnx").write_bytes(b"gra")
    with pytest.raises(EncoderError, match="cut short"):
        read_manifest(folder)
    assert not is_ready(folder)


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"fingerprint": 1}'])
def test_a_damaged_manifest_says_what_to_do(folder: Path, damage: str) -> None:
    (folder / "manifest.json").write_text(damage)
    with pytest.raises(EncoderError, match="python -m training encoder"):
        read_manifest(folder)


def test_an_edited_manifest_is_refused(folder: Path) -> None:
    body = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(body | {"prefix": ""}))
    with pytest.raises(EncoderError):
        read_manifest(folder)


def test_each_source_has_a_place_of_its_own(tmp_path: Path) -> None:
    model = tmp_path / "my model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    first = locate(tmp_path, str(model))
    (model / "config.json").write_text("{ }")
    places = {
        first,
        locate(tmp_path, str(model)),
        locate(tmp_path),
        locate(tmp_path, "org/name"),
        locate(tmp_path, "org/name@v2"),
    }
    assert len(places) == 5
    assert all(place.parent == tmp_path / "encoders" for place in places)
    assert first.name.startswith("my-model-")


def test_a_folder_that_does_not_load_is_an_encoder_error(folder: Path) -> None:
    with pytest.raises(EncoderError, match="cannot be loaded"):
        OnnxEncoder.open(folder)


def test_no_encoder_at_all_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="make one with"):
        OnnxEncoder.open(tmp_path / "nothing")
