"""Encoders of other making: any small sentence-transformers folder, and what cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from retrieval.model_folder import locate
from retrieval.onnx_encoder import OnnxEncoder
from tests.integration.encoder.script import run_encoder_verb, run_python

TEXTS = ["a lost card", "card", "", "card card lost a a a card unknown"]
MAKE = """
import json, sys
from pathlib import Path
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Pooling, Transformer
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

torch.manual_seed(1)
place = Path(sys.argv[1])
words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "lost", "card", "query", ":"]
tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
special = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=32, **special).save_pretrained(place / "bert")
config = BertConfig(vocab_size=9, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                    intermediate_size=32, max_position_embeddings=32)
BertModel(config).save_pretrained(place / "bert")
bert = Transformer(str(place / "bert"))
good = SentenceTransformer(modules=[bert, Pooling(16, "cls")], device="cpu", prompts={"query": "query : "})
good.save_pretrained(str(place / "good"), create_model_card=False)
dense = Dense(16, 8)
SentenceTransformer(modules=[bert, Pooling(16, "mean"), dense], device="cpu").save_pretrained(
    str(place / "dense"), create_model_card=False)
vectors = good.encode(json.loads(sys.argv[2]), prompt_name="query", normalize_embeddings=True)
print(json.dumps(vectors.tolist()))
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """(a folder with the models `good` and `dense`, what `good` gives for TEXTS)"""
    folder = tmp_path_factory.mktemp("models")
    return folder, np.array(run_python(MAKE, str(folder), json.dumps(TEXTS)))


def test_a_model_of_another_kind_becomes_an_encoder(models: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    folder, theirs = models
    source = str(folder / "good")
    code, lines = run_encoder_verb("--out", str(tmp_path), "--source", source)
    assert code == 0, lines
    assert [line["stage"] for line in lines] == ["read", "load", "export", "check", "seal", "ready"]
    assert [line["done"] for line in lines] == sorted(line["done"] for line in lines)
    assert Path(lines[-1]["text"]) == locate(tmp_path, source)
    encoder = OnnxEncoder.open(locate(tmp_path, source), threads=1, verify=True)
    assert encoder.dim == 16
    assert np.abs(encoder.encode(TEXTS) - theirs).max() < 1e-4
    left = [path.name for path in (tmp_path / "encoders").iterdir() if path.is_dir()]
    assert left == [locate(tmp_path, source).name]


def test_a_model_with_further_layers_is_refused(models: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    code, lines = run_encoder_verb("--out", str(tmp_path), "--source", str(models[0] / "dense"))
    assert code == 1
    assert lines[-1]["stage"] == "failed"
    assert "Dense" in lines[-1]["text"]
    assert not [path for path in (tmp_path / "encoders").iterdir() if path.is_dir()]


@pytest.mark.parametrize("source", ["empty", "missing"])
def test_a_path_without_a_model_is_refused_at_once(source: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, lines = run_encoder_verb("--out", str(tmp_path / "out"), "--source", str(tmp_path / source))
    assert code == 1
    assert [line["stage"] for line in lines] == ["failed"]
    assert "sentence-transformers folder" in lines[0]["text"]
