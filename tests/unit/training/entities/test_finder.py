"""Recognisers and what examples taught, joined; from a lesson's folder to a tagger that a server opens."""

from __future__ import annotations

import errno
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from retrieval.embed import Tokens
from retrieval.model_folder import locate
from retrieval.onnx_encoder import OnnxEncoder
from tests.tiny import letters
from training.entities.finder import NOTHING_NAMED, Finder
from training.entities.learn import make_tagger
from training.entities.lesson import EntityLesson, open_tagger, read_lesson, write_lesson
from training.entities.spec import Example, KindSpec, Span
from training.entities.tagger import Tagger
from training.progress import silent
from training.sealed import sealed
from training.tap import make_tap

ON = date(2026, 11, 26)
KINDS = {"amount": KindSpec("amount"), "city": KindSpec(), "order": KindSpec(patterns=("LW####",))}


def example(city: str, amount: str) -> Example:
    text = f"pay {amount} to {city} now"
    at = 8 + len(amount)
    return Example(text, (Span(4, 4 + len(amount), "amount"), Span(at, at + len(city), "city")))


LESSON = EntityLesson(
    KINDS,
    (
        *(
            example(c, a)
            for c in ("rome", "oslo", "paris", "北京")
            for a in ("20 yuan", "¥5", "1.2万", "30 bucks")
        ),
        Example("what is that", ()),
    ),
    "fingerprint",
)


def test_a_lesson_becomes_a_tagger_that_is_found_by_name(tmp_path: Path) -> None:
    folder = locate(tmp_path, letters(tmp_path))
    write_lesson(tmp_path, LESSON)
    assert read_lesson(tmp_path) == LESSON
    assert open_tagger(tmp_path, LESSON.name) is None
    with sealed(tmp_path / LESSON.name) as place:
        make_tagger(tmp_path, place, encoder=folder, cache=tmp_path, report=silent)
    tagger = open_tagger(tmp_path, LESSON.name)
    assert tagger is not None
    encoder = OnnxEncoder.open(folder, threads=1, tap=make_tap(tmp_path, folder))
    finder, text = Finder(KINDS, tagger), "pay 40 bucks to rome now, LW1234"
    _, (tokens,) = encoder.encode_tokens([text])
    assert [(e.kind, e.text, e.value, e.source) for e in finder.find(text, tokens, ON)] == [
        ("amount", "40 bucks", "40 USD", "examples"),
        ("city", "rome", None, "examples"),
        ("order", "LW1234", "LW1234", "pattern"),
    ]
    assert [e.kind for e in finder.find(text, None, ON)] == ["amount", "order"]
    asked = [(text, tokens, ON), (text, None, ON), ("", None, ON)]
    assert finder.find_all(asked) == [finder.find(*one) for one in asked]


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    return locate(tmp_path, letters(tmp_path))


def made(tmp_path: Path, encoder: Path, lesson: EntityLesson) -> Tagger | None:
    write_lesson(tmp_path, lesson)
    with sealed(tmp_path / lesson.name) as place:
        make_tagger(tmp_path, place, encoder=encoder, cache=tmp_path, report=silent)
    return open_tagger(tmp_path, lesson.name)


def test_kinds_with_no_example_or_one_and_marks_that_contradict_keep_nobody_from_learning_the_others(
    tmp_path: Path, encoder: Path
) -> None:
    kinds = {**KINDS, "empty": KindSpec(), "once": KindSpec()}
    more = (Example("to zanzibar", (Span(3, 11, "once"),)), Example(LESSON.examples[0].text, ()))
    lesson = replace(LESSON, kinds=kinds, examples=(*LESSON.examples, *more))
    finder = Finder(kinds, made(tmp_path, encoder, lesson))
    opened = OnnxEncoder.open(encoder, threads=1, tap=make_tap(tmp_path, encoder))
    text = "pay 40 bucks to oslo now"
    _, (tokens,) = opened.encode_tokens([text])
    found = [(e.kind, e.text) for e in finder.find(text, tokens, ON)]
    assert found == [("amount", "40 bucks"), ("city", "oslo")]


@pytest.mark.parametrize("name", ["tagger.safetensors", "tagger.json", "seal.json"])
def test_a_tagger_with_one_flipped_byte_is_none_and_is_made_again(
    tmp_path: Path, encoder: Path, name: str
) -> None:
    assert made(tmp_path, encoder, LESSON)
    path = tmp_path / LESSON.name / name
    whole = path.read_bytes()
    for place in (0, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert open_tagger(tmp_path, LESSON.name) is None
    path.write_bytes(whole)
    assert open_tagger(tmp_path, LESSON.name)


@pytest.mark.parametrize("trouble", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_full_disk_or_a_stop_leaves_no_half_of_a_tagger(
    tmp_path: Path, encoder: Path, trouble: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object, path: Path) -> None:
        path.write_bytes(b"half of it")
        raise trouble

    with monkeypatch.context() as patch:
        patch.setattr("safetensors.numpy.save_file", fails)
        with pytest.raises(type(trouble)):
            made(tmp_path, encoder, LESSON)
    assert open_tagger(tmp_path, LESSON.name) is None
    assert not [path for path in tmp_path.rglob("*") if LESSON.name in path.name]
    assert made(tmp_path, encoder, LESSON)


def test_another_lesson_has_another_name() -> None:
    names = {
        LESSON.name,
        replace(LESSON, encoder="other").name,
        replace(LESSON, kinds={"city": KindSpec()}).name,
        replace(LESSON, examples=LESSON.examples[1:]).name,
        replace(LESSON, examples=(Example(LESSON.examples[0].text, ()), *LESSON.examples[1:])).name,
    }
    assert len(names) == 5


def test_a_bot_that_asks_for_nothing_finds_nothing_at_no_cost() -> None:
    tokens = Tokens(np.zeros((0, 2), np.int32), np.zeros((0, 0), np.float32))
    started = time.process_time()
    assert NOTHING_NAMED.find("¥20 " * 100_000, tokens, ON) == ()
    assert time.process_time() - started < 1.0
    assert not NOTHING_NAMED.wants_tokens
