"""Bounds are learned per language, from questions as customers are assumed to ask them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter

from retrieval.types import Entry
from training.bounds import learn_bounds
from training.calibrate import Question, Verdict
from training.heads import make_heads
from training.lesson import ASKED, new_heads, open_heads
from training.progress import silent
from training.promise import Bound, Promise

PROMISE = Promise(0.1, 0.9)


def some(kind: str, count: int, *, sure: float, right: bool, lang: str = "en") -> list[Verdict]:
    key = "topic" if kind == "answerable" else None
    return [Verdict(Question(f"{kind} {n}", lang, key, kind), sure, right) for n in range(count)]


def test_each_kind_of_question_has_its_assumed_share() -> None:
    found = some("answerable", 70, sure=0.9, right=True)
    found += some("removed", 500, sure=0.3, right=False) + some("foreign", 500, sure=0.1, right=False)
    promised = learn_bounds(found, ("en",), PROMISE)
    assert promised.bound("en") == Bound(float(np.float32(0.9)), 100, answered=70)
    groups = promised.curves["en"]["reliability"]
    assert sum(group["texts"] for group in groups) == 100
    sure = sum(group["texts"] * group["confidence"] for group in groups) / 100
    assert sure == pytest.approx(0.70 * 0.9 + 0.18 * 0.3 + 0.12 * 0.1)


def test_what_sounds_like_home_stands_for_foreign_questions_that_are_lacking() -> None:
    found = some("answerable", 70, sure=0.9, right=True) + some("removed", 500, sure=0.95, right=False)
    assert learn_bounds(found, ("en",), PROMISE).bound("en") == Bound(None, 100)


def test_languages_are_judged_apart_and_one_that_lacks_texts_says_how_many() -> None:
    found = some("answerable", 70, sure=0.9, right=True)
    found += some("answerable", 9, sure=0.9, right=True, lang="zh")
    promised = learn_bounds(found, ("en", "zh"), PROMISE)
    assert promised.bound("en").at == pytest.approx(0.9)
    assert promised.bound("zh") == Bound(None, 9, missing=PROMISE.fewest - 9)
    assert promised.bound("fr") == Bound(None, 0, missing=PROMISE.fewest)


TOPICS, PHRASES = 20, 8
STRANGE = [(f"weather {n}", "out_of_scope", "en") for n in range(40)]


def _vector(place: int, slip: bool = False) -> np.ndarray:
    """A phrasing lies where its topic does; one with a slip, anywhere."""
    rng = np.random.default_rng(place)
    spot = np.random.default_rng(1000 + place // PHRASES).normal(size=32)
    row = rng.normal(size=32) if slip else spot + 0.1 * rng.normal(size=32)
    return (row / np.linalg.norm(row)).astype(np.float32)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    phrases = [f"words {chr(97 + n // PHRASES)} {n}" for n in range(TOPICS * PHRASES)]
    entries = [
        Entry(str(t), f"topic{t}", "en", own[0], "Yes.", intent=f"intent{t % 4}", alternatives=tuple(own[1:]))
        for t in range(TOPICS)
        if (own := phrases[t * PHRASES : (t + 1) * PHRASES])
    ]
    slips = {phrase: f"{phrase}x" for phrase in phrases}
    answers = {"Yes.": 9000} | {f"intent{n}": 9100 + 10 * n for n in range(4)}
    places = {p: n for n, p in enumerate(phrases)} | {t: 5000 + 9 * n for n, (t, _, _) in enumerate(STRANGE)}
    vectors = {text: _vector(place) for text, place in (places | answers).items()}
    vectors |= {slip: _vector(place, slip=True) for place, slip in enumerate(slips.values())}
    (tmp_path / "texts.json").write_text(json.dumps(list(vectors)), "utf-8")
    np.save(tmp_path / "vectors.npy", np.stack(list(vectors.values())))
    (tmp_path / "entries.json").write_bytes(TypeAdapter(list[Entry]).dump_json(entries))
    rows = ({"text": text, "label": label, "lang": lang} for text, label, lang in STRANGE)
    (tmp_path / "examples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (tmp_path / "slips.json").write_text(json.dumps(slips), "utf-8")
    return tmp_path


def learned(work: Path, name: str, slips: dict[str, str]) -> Bound:
    asked = {"promise": {"wrong": 0.1, "sure": 0.9}, "slips": slips}
    (work / ASKED).write_text(json.dumps(asked), "utf-8")
    with new_heads(work, name) as out:
        make_heads(work, out, name=name, report=silent)
    heads = open_heads(work, name)
    assert heads is not None
    assert heads.promised is not None
    assert heads.promised.promise == PROMISE
    return heads.promised.bound("en")


def test_bounds_lie_with_the_heads_and_are_learned_from_mistyped_texts_too(work: Path) -> None:
    clean = learned(work, "clean", {})
    assert clean.at is not None
    assert clean.coverage > 0.5
    mistyped = learned(work, "mistyped", json.loads((work / "slips.json").read_text("utf-8")))
    assert mistyped.answered < clean.answered


def test_heads_of_a_bot_that_promises_nothing_have_no_bounds(work: Path) -> None:
    with new_heads(work, "plain") as out:
        make_heads(work, out, name="plain", report=silent)
    heads = open_heads(work, "plain")
    assert heads is not None
    assert heads.promised is None
    assert set(heads.curves["en"]) == {"reliability", "ece", "risk_coverage", "aurc"}
    assert 0 < heads.curves["en"]["ece"] < 0.3
