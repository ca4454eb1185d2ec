"""Encoders that are made in milliseconds: what a test of training uses where meaning does not matter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from retrieval.model_folder import GRAPH, TOKENIZER, Manifest, checksums, locate

DIM = 32
ROOT = Path(__file__).resolve().parents[1]


def letters(cache: Path) -> str:
    """A source (KEFU_ENCODER) whose encoder lies ready under `cache`: a text is the mean of its bytes' vectors."""
    source = cache / "letters"
    source.mkdir(parents=True)
    (source / "config.json").write_text("{}", encoding="utf-8")
    folder = locate(cache, str(source))
    folder.mkdir(parents=True)
    _tokenizer(folder / TOKENIZER)
    _graph(folder / GRAPH)
    Manifest(
        name=folder.name,
        dim=DIM,
        max_length=512,
        pad_id=0,
        pad_token="[PAD]",
        pooling="mean",
        prefix="",
        files=checksums(folder),
    ).write(folder)
    return str(source)


def letters_cross_encoder(folder: Path, *, outputs: int = 1) -> Path:
    """A folder with a graph of a sequence classifier: a pair's numbers are sums over its bytes."""
    folder.mkdir(parents=True)
    _tokenizer(folder / TOKENIZER)
    _graph(folder / "model.onnx", width=outputs, name="scores")
    told = {"architectures": ["LettersForSequenceClassification"], "pad_token_id": 0}
    (folder / "config.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


def letters_reranker(cache: Path) -> Path:
    """The same, ready to serve."""
    from training.reranker import build_reranker

    return build_reranker(cache, str(letters_cross_encoder(cache / "letters-cross")))


def _tokenizer(path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {"[PAD]": 0, **{letter: number for number, letter in enumerate(alphabet, 1)}}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.save(str(path))


def _graph(path: Path, *, width: int = DIM, name: str = "vectors") -> None:
    """The sum of what stands for each letter, as `vectors` of length 1, or as `scores` as they are."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    table = np.random.default_rng(0).normal(size=(257, width)).astype(np.float32)
    shape = ["batch", "length"]
    unit = name == "vectors"
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["states"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["weight"]),
        helper.make_node("Mul", ["states", "weight"], ["heard"]),
        helper.make_node("ReduceSum", ["heard", "middle"], ["sum" if unit else name], keepdims=0),
        *([helper.make_node("LpNormalization", ["sum"], [name], axis=-1, p=2)] if unit else []),
    ]
    graph = helper.make_graph(
        nodes,
        "letters",
        [helper.make_tensor_value_info(n, TensorProto.INT64, shape) for n in ("input_ids", "attention_mask")],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])],
        [
            numpy_helper.from_array(table, "table"),
            numpy_helper.from_array(np.array([2], dtype=np.int64), "last"),
            numpy_helper.from_array(np.array([1], dtype=np.int64), "middle"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, str(path))


_BERT = """
import sys
from pathlib import Path
from tests.tiny_encoder import tiny_encoder
from training.encoder import build_encoder

cache = Path(sys.argv[1])
build_encoder(cache, str(tiny_encoder(cache / "bert", layers=2)))
"""


def bert(cache: Path) -> str:
    """A source whose encoder lies ready under `cache`, and which can be tuned: made in a child, where torch stays."""
    command = [sys.executable, "-W", "ignore", "-c", _BERT, str(cache)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return str(cache / "bert" / "model")
