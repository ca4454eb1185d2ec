"""What `kefu doctor` says of the index, the heads, the promise and the encoder."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from bot.home import home_lock
from bot.inference.vectors import BROUGHT, pack_vectors
from retrieval.delta import Delta
from retrieval.model_folder import sha256_file
from retrieval.onnx_encoder import OnnxEncoder
from retrieval.testing import HashEncoder
from tests.tiny import letters_reranker
from tests.unit.doctor.conftest import ROWS, Place, change, flip, keep
from training.promise import Bound


def test_a_changed_byte_in_the_index(place: Place) -> None:
    flip(place.bundle / "vectors.npy")
    report = place.doctor()
    assert report.wrong == {"index"}
    assert "vectors.npy has changed" in report["index"][1]
    assert report["agreement"] == ("warning", "not checked: the index is not to be had. Mend that first.")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM knowledge WHERE key = 'open'", "(1 deleted), as of open."),
        ("UPDATE knowledge SET active = 0 WHERE key = 'post'", "(1 deleted), as of post."),
        ("UPDATE knowledge SET answer = 'Nine yuan.' WHERE key = 'post'", "(1 changed), as of post."),
        (
            "UPDATE knowledge SET id = 'other' WHERE key = 'post'",
            "(1 missing, 1 deleted), as of post, post.",
        ),
    ],
)
def test_rows_changed_behind_the_index(place: Place, statement: str, words: str) -> None:
    change(place, statement)
    report = place.doctor()
    assert "agreement" in report.wrong
    assert words in report["agreement"][1]
    assert "Restart the server" in report["agreement"][1]


def test_an_index_that_is_still_to_be_made(place: Place) -> None:
    change(place, "UPDATE meta SET value = '7' WHERE key = 'knowledge_revision'")
    assert place.doctor()["index"] == ("ok", "the next start makes it, of 2 answers. ")
    with home_lock(place.home):
        assert place.doctor()["index"][0] == "warning"


def test_heads_whose_file_has_changed_and_those_of_other_examples(place: Place) -> None:
    assert "too few phrasings" in place.doctor()["heads"][1]
    [made] = (place.home / "releases").iterdir()
    flip(made / "heads.safetensors")
    assert "heads.safetensors has changed" in place.doctor()["heads"][1]
    (place.bot / "intents.yml").write_text("intents: {place: {examples: {en: [where is it]}}}")
    assert place.doctor()["heads"] == ("ok", "the next start learns these examples, in seconds. ")
    with home_lock(place.home):
        assert place.doctor()["heads"][0] == "warning"


def test_where_a_promise_holds_and_what_is_lacking_where_it_does_not(place: Place) -> None:
    keep(
        place,
        "promise: {wrong: 3%}\n",
        {"en": Bound(0.9, 400, answered=200), "zh": Bound(None, 12, missing=140)},
    )
    state, text = place.doctor()["promise"]
    assert state == "warning"
    assert "English: answers from 90 % sure on, 50 % of the 400 texts" in text
    assert "Chinese: answers stored questions and buttons alone, as 140 more phrasings are needed" in text
    assert "Write 140 more phrasings" in text
    [made] = (path.name for path in (place.home / "releases").iterdir() if (path / "promise.json").exists())
    about = {"release": f"base/{made}", "lang": "en", "answered": 90, "wrong": 14, "promised": 0.03}
    for subject, told in (("a", about), ("b", about | {"release": "base/heads-of-yesterday", "wrong": 15})):
        row = f"('{subject}', 'promise', '{subject}', '{json.dumps(told)}', '2026-03-01 12:30:00')"
        change(place, f"INSERT INTO alert (id, kind, subject, about, opened_at) VALUES {row}")
    text = place.doctor()["promise"][1]
    assert "English: the promise slipped, 14 of 90 answers were wrong to their customers, where 3 %" in text
    assert "since 2026-03-01 12:30 UTC" in text
    assert "15 of 90" not in text


def test_without_a_promise_there_is_none_to_look_at(place: Place) -> None:
    assert place.doctor()["promise"] == ("ok", "bot.yml makes none: the policy's thresholds decide. ")
    with (place.bot / "bot.yml").open("a") as file:
        file.write("promise: {wrong: 5%}\n")
    assert place.doctor()["promise"] == ("ok", "the next start learns how to keep 5 %. ")


def test_an_encoder_whose_file_has_changed(place: Place) -> None:
    flip(place.encoder / "encoder.onnx")
    report = place.doctor()
    assert report.wrong == {"encoder"}
    assert "encoder.onnx has changed" in report["encoder"][1]


def test_vectors_that_are_not_of_length_one(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = HashEncoder()
    monkeypatch.setattr(broken, "encode", lambda texts: np.full((len(texts), 64), np.nan, np.float32))
    monkeypatch.setattr(OnnxEncoder, "open", lambda folder, threads: broken)
    assert "not of length 1" in place.doctor()["encoder"][1]


def test_what_was_read_before(place: Place) -> None:
    texts = ["where are you", "place", *(text for row in ROWS for text in (row["question"], row["answer"]))]
    vectors = dict(zip(texts, HashEncoder().encode(texts), strict=True))
    assert "brings along" not in place.doctor()["encoder"][1]
    pack_vectors(place.bot / BROUGHT, vectors)
    state, text = place.doctor()["encoder"]
    assert (state, "brings along what it read in 6 of 6 texts" in text) == ("ok", True), text
    pack_vectors(place.bot / BROUGHT, {text: vectors[text] for text in texts[:4]})
    state, text = place.doctor()["encoder"]
    assert (state, "has 4 of 6 texts: a first start reads the others" in text) == ("warning", True), text
    pack_vectors(place.bot / BROUGHT, dict(zip(texts, reversed(vectors.values()), strict=True)))
    state, text = place.doctor()["encoder"]
    assert (state, "of another encoder" in text, "`kefu releases vectors`" in text) == ("warning", True, True)


def test_no_encoder_and_nothing_to_make_one(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(place.encoder)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    report = place.doctor()
    assert (report["encoder"][0], "`train` extra" in report["encoder"][1]) == ("wrong", True)


def test_a_reranker_is_looked_at_where_one_is_set(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place.doctor()["reranker"] == ("ok", "none is asked for. ")
    made = letters_reranker(place.cache)
    monkeypatch.setenv("KEFU_RERANKER", str(place.cache / "letters-cross"))
    state, text = place.doctor()["reranker"]
    assert (state, text.startswith("whole; reads a question with two texts")) == ("ok", True)
    flip(made / "reranker.onnx")
    state, text = place.doctor()["reranker"]
    assert state == "wrong"
    assert "reranker.onnx has changed" in text
    shutil.rmtree(made)
    assert place.doctor()["reranker"][0] == "ok"


@pytest.fixture
def brought(place: Place) -> Place:
    """A bot that brings an encoder along, which nobody made ready yet."""
    folder = place.bot / "encoder"
    folder.mkdir()
    (folder / "delta.safetensors").write_bytes(bytes(1_200_000))
    sums = {"delta.safetensors": (sha256_file(folder / "delta.safetensors"), 1_200_000)}
    Delta("b" * 64, sums, 16, 1.0, 1.0, {"release": "2026-11-26-lora-4222"}).write(folder)
    with (place.bot / "bot.yml").open("a", encoding="utf-8") as file:
        file.write("encoder: encoder\n")
    return place


def test_an_encoder_that_the_bot_brings_along(brought: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    state, told = brought.doctor()["encoder"]
    assert (state, told[:83]) == (
        "ok",
        "the bot brings one along: encoder, 1 MB, of 2026-11-26-lora-4222.  made at the firs",
    )
    monkeypatch.setenv("KEFU_ENCODER", "embedded")
    state, told = brought.doctor()["encoder"]
    assert (state, "KEFU_ENCODER is set, and wins." in told, "whole" in told) == ("warning", True, True)


def test_a_changed_byte_in_what_the_bot_brings_along(brought: Place) -> None:
    flip(brought.bot / "encoder" / "delta.safetensors")
    report = brought.doctor()
    assert report.wrong == {"encoder"}
    assert "delta.safetensors has changed since it was made. Bring the folder back" in report["encoder"][1]
    (brought.bot / "encoder" / "delta.safetensors").unlink()
    assert "delta.safetensors is missing" in brought.doctor()["folder"][1]
