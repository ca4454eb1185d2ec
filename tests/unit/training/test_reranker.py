"""Which cross-encoders can be served, and that a folder is made once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from retrieval.rerank.folder import GRAPH, MANIFEST
from retrieval.rerank.onnx_reranker import OnnxReranker
from tests.tiny import letters_cross_encoder
from training.errors import SourceError
from training.reranker import build_reranker


def test_a_folder_with_a_graph_is_taken_as_it_is_and_made_once(tmp_path: Path) -> None:
    source = letters_cross_encoder(tmp_path / "source")
    folder = build_reranker(tmp_path / "cache", str(source))
    assert (folder / GRAPH).read_bytes() == (source / "model.onnx").read_bytes()
    made = (folder / MANIFEST).stat().st_mtime_ns
    assert build_reranker(tmp_path / "cache", str(source)) == folder
    assert (folder / MANIFEST).stat().st_mtime_ns == made
    (folder / GRAPH).write_bytes(b"")
    assert build_reranker(tmp_path / "cache", str(source)) == folder
    assert OnnxReranker.open(folder).score("a", ["b"]).shape == (1,)


def test_a_graph_below_and_of_two_outputs_is_found_too(tmp_path: Path) -> None:
    source = letters_cross_encoder(tmp_path / "source", outputs=2)
    (source / "onnx").mkdir()
    (source / "model.onnx").rename(source / "onnx" / "model.onnx")
    opened = OnnxReranker.open(build_reranker(tmp_path / "cache", str(source)))
    one, other = opened.score("card", ["a card", "a card that was lost"])
    assert np.isfinite([one, other]).all()
    assert one != other


def test_what_is_no_cross_encoder_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"config\.json"):
        build_reranker(tmp_path / "cache", str(tmp_path / "nothing"))
    many = letters_cross_encoder(tmp_path / "many", outputs=3)
    with pytest.raises(SourceError, match="gives 3 numbers"):
        build_reranker(tmp_path / "cache", str(many))
    bare = letters_cross_encoder(tmp_path / "bare")
    (bare / "config.json").write_text(json.dumps({"architectures": ["BertModel"]}), encoding="utf-8")
    with pytest.raises(SourceError, match="BertModel"):
        build_reranker(tmp_path / "cache", str(bare))
    torn = letters_cross_encoder(tmp_path / "torn")
    (torn / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(SourceError, match="cannot be run"):
        build_reranker(tmp_path / "cache", str(torn))
    assert not [path for path in (tmp_path / "cache" / "rerankers").iterdir() if path.is_dir()]
