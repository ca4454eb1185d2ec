"""Recognisers and what examples taught, joined; from a lesson's folder to a tagger that a server opens."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from retrieval.embed import Tokens
from retrieval.model_folder import locate
from retrieval.onnx_encoder import OnnxEncoder
from tests.tiny import letters
from training.entities.finder import NOTHING_NAMED, Finder
from training.entities.learn import make_tagger
from training.entities.lesson import EntityLesson, open_tagger, read_lesson, write_lesson
from training.entities.spec import Example, KindSpec, Span
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
    (tmp_path / LESSON.name / "tagger.json").write_text("{}", encoding="utf-8")
    assert open_tagger(tmp_path, LESSON.name) is None


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
