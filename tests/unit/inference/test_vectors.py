"""Vectors kept between starts, and those that a bot folder brings along."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from bot.inference.vectors import (
    SAMPLE,
    are_of,
    brought_vectors,
    load_vectors,
    pack_vectors,
    sample,
    save_vectors,
)
from retrieval.embed import Vectors
from retrieval.testing import HashEncoder


def test_what_was_kept_comes_back_and_nothing_else(tmp_path: Path) -> None:
    texts = ["卡丢了", "lost card", "", "\ud800"]
    vectors = dict(zip(texts, HashEncoder().encode(texts), strict=True))
    path = tmp_path / "deep" / "v.safetensors"
    save_vectors(path, vectors)
    found = load_vectors(path, ["lost card", "unknown", "卡丢了", "\ud800"])
    assert set(found) == {"lost card", "卡丢了", "\ud800"}
    assert np.array_equal(found["卡丢了"], vectors["卡丢了"])


def test_a_missing_or_damaged_file_holds_none(tmp_path: Path) -> None:
    assert load_vectors(tmp_path / "none", ["a"]) == {}
    (tmp_path / "bad").write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00garbage!")
    assert load_vectors(tmp_path / "bad", ["a"]) == {}


@pytest.mark.parametrize("write", [save_vectors, pack_vectors])
@pytest.mark.parametrize("at", [-3, 0.5, 0.02])
def test_a_changed_byte_anywhere_is_told_and_nothing_is_taken(
    write: Callable[[Path, Mapping[str, Vectors]], None],
    at: float,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    texts = [f"question {number}" for number in range(100)]
    write(tmp_path / "v", dict(zip(texts, HashEncoder().encode(texts), strict=True)))
    assert len(brought_vectors(tmp_path / "v", texts)) == 100
    raw = bytearray((tmp_path / "v").read_bytes())
    raw[int(at) if at < 0 else int(at * len(raw))] ^= 1
    (tmp_path / "v").write_bytes(raw)
    with caplog.at_level(logging.WARNING):
        assert brought_vectors(tmp_path / "v", texts) == {}
    assert "read again" in caplog.text


def test_what_a_bot_brings_along_takes_a_quarter_of_the_room_and_says_the_same(tmp_path: Path) -> None:
    texts = [f"question {number}" for number in range(300)]
    vectors = dict(zip(texts, HashEncoder(384).encode(texts), strict=True))
    save_vectors(tmp_path / "kept", vectors)
    pack_vectors(tmp_path / "brought", vectors)
    assert (tmp_path / "brought").stat().st_size < 0.3 * (tmp_path / "kept").stat().st_size
    before = (tmp_path / "brought").stat().st_mtime_ns
    found = brought_vectors(tmp_path / "brought", ["question 7", "unknown", "question 250"])
    assert list(found) == ["question 7", "question 250"]
    for text, vector in found.items():
        assert vector.dtype == np.float32
        assert float(vector @ vectors[text]) > 0.9999
        assert abs(float(vector @ vector) - 1) < 1e-5
    assert (tmp_path / "brought").stat().st_mtime_ns == before, "a bot folder is only read"


def test_a_sample_tells_whose_vectors_they_are() -> None:
    texts = [f"question {number}" for number in range(100)]
    vectors = dict(zip(texts, HashEncoder().encode(texts), strict=True))
    some = sample(vectors)
    assert len(some) == SAMPLE
    assert texts.index(some[-1]) > 80, "they are spread over all"
    read = {text: vectors[text] for text in some}
    assert are_of(read, vectors)
    other = HashEncoder(65).encode(some)
    assert not are_of(dict(zip(some, other, strict=True)), vectors)
    assert not are_of({**read, some[0]: vectors[some[1]]}, vectors)


def test_of_nothing_nothing_is_asked(tmp_path: Path) -> None:
    assert sample({}) == []
    assert are_of({}, {})
    pack_vectors(tmp_path / "brought", {"a": HashEncoder().encode(["a"])[0]})
    assert brought_vectors(tmp_path / "brought", []) == {}
    assert brought_vectors(tmp_path / "brought", ["b"]) == {}
