"""The embedded encoder as it is served: right, stable, and the same model that can be trained further."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import psutil
import pytest

from retrieval.model_folder import EMBEDDED_WEIGHTS, read_manifest
from retrieval.onnx_encoder import OnnxEncoder
from retrieval.text import as_read
from tests.integration.encoder.script import run_encoder_verb, run_python

pytestmark = pytest.mark.encoder

PAIRS = [
    ("How do I report a lost card?", "my bank card is missing, what now"),
    ("What are your opening hours?", "when do you open in the morning"),
    ("How do I reset my password?", "forgot my password, cannot log in"),
    ("Which fee do I pay for a transfer abroad?", "what does it cost to send money overseas"),
    ("How do I close my account?", "please cancel my account"),
    ("银行卡丢了怎么挂失？", "我的卡不见了，怎么办"),
    ("你们几点开门？", "早上什么时候营业"),
    ("怎么重置登录密码？", "我忘了密码，进不去了"),
    ("跨境汇款手续费是多少？", "往国外转钱要收多少钱"),
    ("如何注销账户？", "我不想用了，把账号销掉"),
]
REFERENCE = json.loads(Path(__file__).with_name("reference.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def encoder(encoder_folder: Path) -> OnnxEncoder:
    return OnnxEncoder.open(encoder_folder, threads=2)


def test_each_paraphrase_is_nearest_to_its_question(encoder: OnnxEncoder) -> None:
    stored = encoder.encode([question for question, _ in PAIRS])
    asked = encoder.encode([paraphrase for _, paraphrase in PAIRS])
    assert (asked @ stored.T).argmax(axis=1).tolist() == list(range(len(PAIRS)))


def test_vectors_are_those_of_the_reference(encoder: OnnxEncoder, encoder_folder: Path) -> None:
    """Of the model, which reads texts as they are typed."""
    model = OnnxEncoder.open(encoder_folder, threads=2, as_typed=True)
    assert model.fingerprint != encoder.fingerprint
    vectors = model.encode([item["text"] for item in REFERENCE])
    for vector, item in zip(vectors, REFERENCE, strict=True):
        assert vector[: len(item["start"])] == pytest.approx(item["start"], abs=1e-3)


def test_a_vector_depends_on_neither_threads_nor_company(encoder: OnnxEncoder, encoder_folder: Path) -> None:
    texts = [text for pair in PAIRS for text in pair]
    alone = np.vstack(
        [OnnxEncoder.open(encoder_folder, threads=1).encode(texts[:1]), encoder.encode(texts[1:2])]
    )
    together = encoder.encode(texts * 3)
    assert np.abs(together[:2] - alone).max() <= 1e-5
    assert np.abs(together[: len(texts)] - together[-len(texts) :]).max() <= 1e-5


def test_the_folder_is_whole_and_the_one_that_was_tested(encoder_folder: Path) -> None:
    manifest = read_manifest(encoder_folder, verify=True)
    assert manifest.files["model.safetensors"][0] == EMBEDDED_WEIGHTS
    assert (manifest.dim, manifest.pooling, manifest.prefix) == (384, "mean", "query: ")


def test_opening_it_twice_gives_one_fingerprint(encoder: OnnxEncoder, encoder_folder: Path) -> None:
    assert OnnxEncoder.open(encoder_folder, threads=1, verify=True).fingerprint == encoder.fingerprint


def test_a_second_run_finds_it_and_makes_nothing(encoder_folder: Path) -> None:
    before = (encoder_folder / "manifest.json").stat().st_mtime_ns
    code, lines = run_encoder_verb("--out", str(encoder_folder.parent.parent), "--verify")
    assert code == 0
    assert [line["stage"] for line in lines] == ["ready"]
    assert (encoder_folder / "manifest.json").stat().st_mtime_ns == before


def test_the_folder_is_a_sentence_transformer_that_gives_the_same(
    encoder: OnnxEncoder, encoder_folder: Path
) -> None:
    code = """
import json, sys
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu")
print(json.dumps(model.encode(json.loads(sys.argv[2]), prompt_name="query").tolist()))
"""
    texts = [text for pair in PAIRS[4:7] for text in pair] + [""]
    theirs = np.array(run_python(code, str(encoder_folder), json.dumps([as_read(text) for text in texts])))
    assert np.abs(encoder.encode(texts) - theirs).max() < 1e-3


def test_memory_does_not_creep_with_batches_of_changing_shape(encoder: OnnxEncoder) -> None:
    rng = np.random.default_rng(0)

    def some(batches: int) -> None:
        for _ in range(batches):
            words = rng.integers(1, 30, size=rng.integers(1, 9))
            encoder.encode(["card " * int(count) for count in words])

    encoder.encode(["card " * 130] * 40)
    some(20)
    before = psutil.Process().memory_info().rss
    some(60)
    assert psutil.Process().memory_info().rss - before < 8 * 2**20
