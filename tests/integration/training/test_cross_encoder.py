"""A cross-encoder as sentence-transformers writes it, exported in a child and served here: the same numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from retrieval.rerank.onnx_reranker import OnnxReranker
from tests.integration.encoder.script import run_python
from training.__main__ import main

QUESTION = "where is my card"
PASSAGES = ["my card", "who is there", "我的卡丢了", "a card and a card and a card and a card and a card"]
_MAKE = """
import json, sys
from pathlib import Path
from tests.tiny_encoder import tiny_cross_encoder
import torch
from sentence_transformers import CrossEncoder
from training.reranker import build_reranker

question, *passages = sys.argv[2:]
folder = tiny_cross_encoder(Path(sys.argv[1]) / "cross")
model = CrossEncoder(str(folder), device="cpu", max_length=64)
pairs = [(question, passage) for passage in passages]
scores = model.predict(pairs, activation_fn=torch.nn.Identity()).tolist()
print(json.dumps([str(build_reranker(Path(sys.argv[1]), str(folder))), scores]))
"""


def test_what_is_exported_scores_as_the_library_does(tmp_path: Path) -> None:
    folder, expected = run_python(_MAKE, str(tmp_path), QUESTION, *PASSAGES)
    found = OnnxReranker.open(Path(folder)).score(QUESTION, PASSAGES)
    assert found == pytest.approx(np.array(expected), abs=1e-3)
    assert found.std() > 0.01


def test_a_wrong_source_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["reranker", "--source", str(tmp_path), "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert json.loads(result.output)["stage"] == "failed"
