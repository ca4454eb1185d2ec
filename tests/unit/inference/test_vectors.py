"""Vectors kept between starts."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bot.inference.vectors import load_vectors, save_vectors
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
