"""A graph that is tapped gives the same vectors, and tokens whose places are those of the text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval.errors import EncoderError
from retrieval.model_folder import locate, read_manifest
from retrieval.onnx_encoder import OnnxEncoder
from retrieval.tap import Tap, locate_tap, read_tap, write_tap
from tests.tiny import DIM, letters
from training.tap import make_tap

TEXTS = ["卡丢了 lost", "", "x" * 40, "ＬＭ１２ é ﬁ", "a b"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.mktemp("cache")
    return locate(cache, letters(cache))


def test_the_same_vectors_and_a_state_for_each_token(folder: Path, tmp_path: Path) -> None:
    before = read_manifest(folder, verify=True)
    tapped = OnnxEncoder.open(folder, threads=2, tap=make_tap(tmp_path, folder))
    vectors, tokens = tapped.encode_tokens(TEXTS)
    assert np.array_equal(vectors, OnnxEncoder.open(folder, threads=2).encode(TEXTS))
    assert np.array_equal(vectors, tapped.encode(TEXTS))
    assert read_manifest(folder, verify=True) == before
    for text, told in zip(TEXTS, tokens, strict=True):
        assert told.states.shape == (len(told.places), DIM)
        assert all(0 <= start < end <= len(text) for start, end in told.places.tolist())
    assert np.array_equal(tokens[2].states[1], tokens[2].states[39])


def test_a_tap_is_found_once(folder: Path, tmp_path: Path) -> None:
    tap = make_tap(tmp_path, folder)
    told: list[str] = []
    assert make_tap(tmp_path, folder, report=lambda stage, *_: told.append(stage)) == tap
    assert told == ["tap"]
    assert read_tap(locate_tap(tmp_path, folder)) == tap


def test_what_is_missing_or_damaged_is_told(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "taps" / "x.json"
    assert read_tap(path) is None
    write_tap(path, Tap(("a",), b"\x3a\x00"))
    assert read_tap(path) == Tap(("a",), b"\x3a\x00")
    path.write_text("{", encoding="utf-8")
    with pytest.raises(EncoderError, match="made again"):
        read_tap(path)
    with pytest.raises(EncoderError, match="without a tap"):
        OnnxEncoder.open(folder, threads=1).encode_tokens(["x"])
