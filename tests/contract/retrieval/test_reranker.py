"""What every reranker promises, the shipped fake and the one that serving runs alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval.errors import RerankerError
from retrieval.rerank.folder import GRAPH, MANIFEST
from retrieval.rerank.onnx_reranker import OnnxReranker
from retrieval.rerank.port import Reranker
from retrieval.testing import WordReranker
from tests.tiny import letters_reranker

QUESTION = "How do I report a lost card?"
PASSAGES = [
    "Call the hotline to report a lost card.",
    "",
    "信用卡丢了请马上打电话挂失。",
    "A passage without an end: " + "and so on, " * 200,
    "\ud800 🙂",
    "From nine to five.",
]


@pytest.fixture(params=["words", "onnx"])
def reranker(request: pytest.FixtureRequest, tmp_path: Path) -> Reranker:
    return WordReranker() if request.param == "words" else OnnxReranker.open(letters_reranker(tmp_path))


def test_each_passage_has_a_number_in_their_order(reranker: Reranker) -> None:
    scores = reranker.score(QUESTION, PASSAGES)
    assert scores.shape == (len(PASSAGES),)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()
    assert np.abs(reranker.score(QUESTION, PASSAGES[::-1])[::-1] - scores).max() <= 1e-4


def test_no_passages_have_no_numbers(reranker: Reranker) -> None:
    scores = reranker.score(QUESTION, [])
    assert scores.shape == (0,)
    assert scores.dtype == np.float32


def test_company_changes_nothing(reranker: Reranker) -> None:
    alone = [reranker.score(QUESTION, [passage])[0] for passage in PASSAGES]
    assert np.abs(reranker.score(QUESTION, PASSAGES) - alone).max() <= 1e-4


def test_more_passages_than_a_batch_holds(reranker: Reranker) -> None:
    assert len(reranker.score(QUESTION, [f"card {number}" for number in range(100)])) == 100


def test_question_and_passage_both_count(reranker: Reranker) -> None:
    first, other = reranker.score(QUESTION, [PASSAGES[0], PASSAGES[5]])
    assert first != other
    assert reranker.score("When are you open? From nine?", [PASSAGES[5]])[0] != other


def test_any_question_may_be_asked(reranker: Reranker) -> None:
    for question in ("", "?", "\ud800", "长" * 3_000):
        assert np.isfinite(reranker.score(question, PASSAGES[:2])).all()


def test_however_a_question_is_typed_the_numbers_are_the_same(reranker: Reranker) -> None:
    plain = reranker.score("我的信用卡丢了怎么办", PASSAGES)
    assert np.abs(reranker.score("我的信用卡丟了怎麼辦", PASSAGES) - plain).max() <= 1e-5


@pytest.mark.parametrize("file", [GRAPH, "tokenizer.json", MANIFEST])
def test_a_changed_or_missing_file_is_an_error_that_says_what_to_do(file: str, tmp_path: Path) -> None:
    folder = letters_reranker(tmp_path)
    (folder / file).write_bytes((folder / file).read_bytes()[:-9] + b"something")
    with pytest.raises(RerankerError, match="training reranker"):
        OnnxReranker.open(folder)
    (folder / file).unlink()
    with pytest.raises(RerankerError, match="training reranker"):
        OnnxReranker.open(folder)
