"""What a lesson's promise changes, and what is told of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.policy import NEVER
from bot.inference import release
from bot.inference.promised import percent, sure, told
from bot.inference.release import SLIPS, Lesson, with_slips
from retrieval.types import Entry
from training.promise import Bound, Promise, Promised

ENTRIES = tuple(
    Entry(
        str(n),
        f"topic {n}",
        "en",
        f"Where is parcel number {n}?",
        "There.",
        alternatives=(f"parcel number {n} has not come", f"when does parcel {n} arrive"),
    )
    for n in range(60)
)
PLAIN = Lesson((("how is the weather", "out_of_scope", "en"),), ENTRIES, "encoder")
PROMISED = replace(PLAIN, promise=Promise())


def test_a_promise_makes_other_heads_and_another_promise_others_again() -> None:
    names = {
        lesson.name
        for lesson in (
            PLAIN,
            PROMISED,
            replace(PLAIN, promise=Promise(wrong=0.05)),
            replace(PLAIN, promise=Promise(sure=0.95)),
        )
    }
    assert len(names) == 4
    assert with_slips(PROMISED).name == PROMISED.name


def test_slips_are_read_as_a_server_reads_them_and_no_text_mends_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What others write too is mended; what stands in this text alone is a slip like any other."""
    monkeypatch.setattr(release, "SLIPS", 1.0)
    monkeypatch.setattr(release, "changed", lambda _, texts, seed: [slip(text) for text in texts])
    lesson = with_slips(
        replace(PROMISED, entries=(*ENTRIES, Entry("u", "u", "en", "ask the frobnicator", ".")))
    )
    assert lesson.slips["ask the frobnicator"] == "ask the frobincator"
    assert "parcel number 7 has not come" not in lesson.slips
    assert "Where is parcel number 7?" not in lesson.slips


def slip(text: str) -> str:
    return text.replace("parcel", "pracel").replace("frobnicator", "frobincator")


def test_a_quarter_of_the_phrasings_is_asked_mistyped_and_needs_vectors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(release, "_mended", lambda _, typed: typed)
    assert with_slips(PLAIN).texts == PLAIN.texts
    lesson = with_slips(PROMISED)
    assert lesson.slips == with_slips(PROMISED).slips
    phrases = {phrase for entry in ENTRIES for phrase in entry.phrases} | {"how is the weather"}
    assert set(lesson.slips) <= phrases
    assert 0.5 * SLIPS < len(lesson.slips) / len(phrases) < 1.5 * SLIPS
    assert set(lesson.slips.values()) <= set(lesson.texts)
    assert not set(lesson.slips.values()) & set(PLAIN.texts)


def test_each_language_is_told_of() -> None:
    bounds = {"zh": Bound(0.636, 2000, answered=1220, wrong=20), "en": Bound(None, 112, missing=40)}
    zh, en = told(Promised(Promise(), bounds), ("zh", "en"))
    assert zh.text == "Chinese: answers from 64 % sure on, 61 % of the 2000 texts that it was judged by"
    assert zh.answers
    assert "40 more phrasings are needed before 3 % can be promised" in en.text
    assert "Write 40 more phrasings" in en.hint
    (more,) = told(Promised(Promise(), {"en": Bound(None, 900, missing=350)}), ("en",))
    assert "900 texts with mistakes in them are too few for 3 %: some 350 are lacking" in more.text
    assert "Write about 350 more phrasings" in more.hint
    (bad,) = told(Promised(Promise(), {"en": Bound(None, 900)}), ("en",))
    assert "even the surest of 900 texts are wrong too often for 3 %" in bad.text
    (none,) = told(Promised(Promise(), {}), ("zh",))
    assert "152 more phrasings" in none.text


@pytest.mark.parametrize(
    ("confidence", "bound", "text"),
    [
        (0.72, 0.64, "72 % sure; answers from 64 % on in Chinese"),
        (0.6387, 0.6391, "63.87 % sure; answers from 63.91 % on in Chinese"),
        (0.72, NEVER, "72 % sure; answers stored questions and buttons alone in Chinese"),
        (0.72, None, "72 % sure"),
    ],
)
def test_how_sure_and_against_what(confidence: float, bound: float | None, text: str) -> None:
    assert sure(confidence, bound, "zh") == text


def test_small_shares_keep_their_digits() -> None:
    assert [percent(share) for share in (0.03, 0.005, 0.1, 1.0)] == ["3 %", "0.5 %", "10 %", "100 %"]
