"""What every encoder promises, the shipped fake and the real one alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval.embed import Encoder
from retrieval.onnx_encoder import OnnxEncoder
from retrieval.testing import HashEncoder

TEXTS = [
    "How do I report a lost card?",
    "",
    "我的信用卡丢了怎么办？",
    " ",
    "x",
    "A question as long as an impatient customer's: " + "please answer me at last, " * 40,
    "🙂 ﬁne Ｗｉｄｅ \u200b",
    "how do i report a lost card",
]


@pytest.fixture(scope="session", params=["hash", pytest.param("onnx", marks=pytest.mark.encoder)])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    if request.param == "hash":
        return HashEncoder()
    folder: Path = request.getfixturevalue("encoder_folder")
    return OnnxEncoder.open(folder, threads=1)


def test_each_text_gets_one_unit_vector(encoder: Encoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.dim)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)


def test_no_text_gets_no_vector(encoder: Encoder) -> None:
    vectors = encoder.encode([])
    assert vectors.shape == (0, encoder.dim)
    assert vectors.dtype == np.float32


def test_order_is_kept_and_company_changes_nothing(encoder: Encoder) -> None:
    together = encoder.encode(TEXTS)
    alone = np.vstack([encoder.encode([text]) for text in TEXTS])
    assert np.abs(together - alone).max() <= 1e-4
    assert np.abs(encoder.encode(TEXTS[::-1])[::-1] - together).max() <= 1e-4


def test_more_texts_than_a_batch_holds(encoder: Encoder) -> None:
    vectors = encoder.encode([f"card {number}" for number in range(70)])
    assert vectors.shape == (70, encoder.dim)
    assert len(np.unique(vectors.round(4), axis=0)) > 60


def test_near_texts_lie_nearer_than_others(encoder: Encoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors[0] @ vectors[7] > max(vectors[0] @ vectors[row] for row in range(1, 7))


def test_however_a_question_is_typed_its_vector_is_the_same(encoder: Encoder) -> None:
    typed = ["My app 信用卡丢了怎么办？", "MY APP  信用卡丟了怎麼辦", " Ｍｙ　ａｐｐ　信用卡丢了怎么办。"]
    vectors = encoder.encode(typed)
    assert np.abs(vectors - vectors[0]).max() <= 1e-5


def test_the_fingerprint_is_stable_and_hexadecimal(encoder: Encoder) -> None:
    assert encoder.fingerprint == encoder.fingerprint
    assert len(encoder.fingerprint) == 64
    int(encoder.fingerprint, 16)


def test_fakes_of_different_size_have_different_fingerprints() -> None:
    assert HashEncoder(64).fingerprint == HashEncoder(64).fingerprint != HashEncoder(32).fingerprint
