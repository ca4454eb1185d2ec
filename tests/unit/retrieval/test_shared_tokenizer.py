"""Encoders that were tuned from one another read with one tokenizer: to parse it stops every thread for a second."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from retrieval.model_folder import TOKENIZER
from retrieval.onnx_encoder import _tokenizer


@pytest.fixture
def stock(tmp_path: Path) -> Path:
    return written(tmp_path / "stock", "card", "fee")


def written(folder: Path, *words: str) -> Path:
    vocabulary = {word: number for number, word in enumerate(("[UNK]", *words))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    folder.mkdir()
    tokenizer.save(str(folder / TOKENIZER))
    return folder


def test_a_tuned_encoder_shares_it_though_padding_was_written_down(stock: Path, tmp_path: Path) -> None:
    first = _tokenizer(stock, 512)
    saved = Tokenizer.from_file(str(stock / TOKENIZER))
    saved.enable_padding(length=64)
    saved.enable_truncation(max_length=2)
    (tmp_path / "tuned").mkdir()
    saved.save(str(tmp_path / "tuned" / TOKENIZER))
    assert json.loads((tmp_path / "tuned" / TOKENIZER).read_text())["padding"]
    assert _tokenizer(tmp_path / "tuned", 512) is first
    assert first.encode("card fee card").ids == [1, 2, 1]


def test_other_words_and_another_length_have_one_of_their_own(stock: Path, tmp_path: Path) -> None:
    first = _tokenizer(stock, 512)
    assert _tokenizer(stock, 2).encode("card fee card").ids == [1, 2]
    other = _tokenizer(written(tmp_path / "other", "fee", "card"), 512)
    assert other.encode("card").ids == [2]
    assert first.encode("card fee card").ids == [1, 2, 1]
