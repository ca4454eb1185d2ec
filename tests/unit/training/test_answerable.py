"""What only sounds like a stored question is told from what it answers; what was learned is read back as it was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from retrieval.lexical import Lexical
from retrieval.text import tokens
from retrieval.types import Entry, Hit
from training.answerable import (
    FEATURES,
    FILE,
    OWN,
    Answerable,
    answer_features,
    own_features,
    read_answerable,
    weighed,
    write_answerable,
)
from training.apply import FEATURES as OF_A_CANDIDATE
from training.apply import Calibrator, Floats
from training.calibrate import Judged, Question, held_out, verdicts
from training.fit_answerable import LOST, fit_answerable, shares_answered

FEE = Entry("1", "fee", "en", "How do I pay for a parcel?", "You pay in the app, with a card of ours.")
PRICE = Entry("2", "price", "en", "What does a parcel cost?", "A parcel costs 10 yuan.")
BIND = Entry("3", "bind", "zh", "怎么绑定微信支付？", "打开应用，选择微信支付。")
LEXICON = Lexical.build([tokens(text) for entry in (FEE, PRICE, BIND) for text in entry.texts])


def own(text: str, entry: Entry) -> dict[str, float]:
    hit = Hit(entry, 0.5, 0.9, 1.0, entry.question)
    return dict(zip(OWN, own_features(text, hit, LEXICON).tolist(), strict=True))


def test_a_brand_that_nothing_stored_names_is_strange() -> None:
    strange, ours = own("how do I pay for a parcel on Didi", FEE), own("how do I pay for a parcel", FEE)
    assert strange["strange_share"] > 0
    assert strange["unknown_share"] > 0
    assert strange["held"] < ours["held"] == 1.0
    assert ours["unknown_share"] == ours["strange_share"] == 0


def test_capitals_and_traditional_characters_change_nothing() -> None:
    assert own("HOW DO I PAY ON DIDI", FEE) == own("how do i pay on didi", FEE)
    assert own("怎麼綁定微信支付", BIND) == own("怎么绑定微信支付", BIND)


def test_chinese_words_that_nothing_stored_has_make_a_run() -> None:
    assert own("怎么绑定微信支付", BIND)["strange_run"] == 0
    assert own("怎么绑定携程旅行", BIND)["strange_run"] == 4


@pytest.mark.parametrize(
    ("text", "entry", "unmet"),
    [
        ("how much is a parcel", FEE, 1),
        ("how much is a parcel", PRICE, 0),
        ("绑定要多久", BIND, 1),
        ("where do I pay", FEE, 0),
    ],
)
def test_what_is_asked_for_has_to_stand_in_the_answer(text: str, entry: Entry, unmet: int) -> None:
    assert own(text, entry)["unmet"] == unmet


@pytest.mark.parametrize("text", ["", "???", "\ud800", "0" * 5_000])
def test_any_text_has_numbers(text: str) -> None:
    assert np.isfinite(list(own(text, FEE).values())).all()


def test_two_languages_of_one_topic_are_no_rivals() -> None:
    row = features(np.array([0.8, 0.7, 0.1], np.float32), ["a", "a", "b"])
    assert row["second"] == pytest.approx(np.log(0.1001 / 0.9001), rel=1e-3)


def features(sure: Floats, keys: list[str]) -> dict[str, float]:
    rest = np.zeros(len(OF_A_CANDIDATE), np.float32), np.zeros(len(OWN), np.float32)
    row = answer_features(sure, keys, foreign=(0.1, 0.2), candidate=rest[0], own=rest[1])
    return dict(zip(FEATURES, row.tolist(), strict=True))


def test_what_was_learned_is_read_back(tmp_path: Path) -> None:
    ones = np.arange(len(FEATURES), dtype=np.float32)
    learned = Answerable(ones, ones + 1, ones / np.float32(7), 0.3, 0.4, {"zh": 0.6})
    write_answerable(tmp_path, learned)
    found = read_answerable(tmp_path)
    assert found is not None
    rows = np.random.default_rng(0).normal(size=(5, len(FEATURES))).astype(np.float32)
    assert (found.probability(rows) == learned.probability(rows)).all()
    assert (found.at_least("en"), found.at_least("zh")) == (0.4, 0.6)
    assert read_answerable(tmp_path / "none") is None


def test_what_was_made_for_other_features_is_not_read(tmp_path: Path) -> None:
    told = {"features": ["sure"], "centre": [0], "scale": [1], "weight": [1], "bias": 0, "least": 0.5}
    (tmp_path / FILE).write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(ValueError, match="train again"):
        read_answerable(tmp_path)


def fold(seed: int, *, foreign: int = 30, apart: float = 2.0, lang: str = "en") -> Judged:
    """60 questions with an answer; foreign ones, whose one hit is as sure, are full of strange words."""
    rng = np.random.default_rng(seed)
    kinds = ["answerable"] * 60 + ["foreign"] * foreign
    count = len(kinds)
    truth = np.array([kind == "answerable" for kind in kinds], np.float32)
    rows = rng.normal(size=(count, len(OF_A_CANDIDATE))).astype(np.float32)
    strange = rng.normal(size=(count, len(OWN))).astype(np.float32)
    strange[:, OWN.index("unknown_share")] += np.where(truth > 0, 0, apart)
    asked = [
        Question(f"{seed}-{n}", lang, "a" if kind == "answerable" else None, kind)
        for n, kind in enumerate(kinds)
    ]
    return Judged(
        rows, truth, np.arange(count, dtype=np.float32), asked, ["a"] * count,
        np.full((count, 2), 0.1, np.float32), strange.__getitem__,
    )  # fmt: skip


ZEROS = np.zeros(len(OF_A_CANDIDATE), np.float32)
EVEN = Calibrator(ZEROS, ZEROS + 1, ZEROS, ZEROS[:3])


def test_foreign_questions_are_refused_and_the_others_answered() -> None:
    learned, told = fit_answerable([fold(n, apart=6.0) for n in range(4)], EVEN)
    assert learned is not None
    shares = shares_answered(told, learned)
    assert shares["answered_foreign"] <= 0.11
    assert shares["answered_answerable"] > 0.95


def test_where_nothing_tells_them_apart_most_is_answered_all_the_same() -> None:
    learned, told = fit_answerable([fold(n, apart=0.0) for n in range(4)], EVEN)
    assert learned is not None
    assert shares_answered(told, learned)["answered_answerable"] == pytest.approx(1 - LOST, abs=0.01)


def test_of_foreign_messages_in_either_language_as_many_are_refused() -> None:
    """One of which the bot is less sure in all that it is asked."""
    folds = [fold(n, apart=6.0) for n in range(4)] + [fold(n, apart=1.0, lang="zh") for n in range(4, 8)]
    learned, told = fit_answerable(folds, EVEN)
    assert learned is not None
    assert set(learned.least_by) == {"en", "zh"}
    refused = {
        lang: np.mean(
            [
                v.sure < learned.at_least(lang)
                for v in told
                if v.question.kind == "foreign" and v.question.lang == lang
            ]
        )
        for lang in ("en", "zh")
    }
    answered = [v.sure >= learned.at_least("zh") for v in told if v.right and v.question.lang == "zh"]
    assert refused["en"] == pytest.approx(0.9, abs=0.02)
    assert refused["zh"] == pytest.approx(0.9, abs=0.02) or np.mean(answered) == pytest.approx(
        1 - LOST, abs=0.01
    )


def test_a_language_with_few_foreign_messages_goes_by_all_of_them() -> None:
    folds = [fold(n) for n in range(4)] + [fold(n, foreign=3, lang="zh") for n in range(4, 8)]
    learned, _ = fit_answerable(folds, EVEN)
    assert learned is not None
    assert set(learned.least_by) == {"en"}
    assert learned.at_least("zh") == learned.least


def test_the_others_keep_their_share_of_what_is_left() -> None:
    sure, keys = np.array([0.5, 0.2, 0.1, 0.5], np.float32), ["a", "b", "c", "a"]
    assert weighed(sure, keys, 0.25).tolist() == pytest.approx([0.25, 0.1, 0.05, 0.25])
    assert weighed(sure, keys, 0.88).tolist() == pytest.approx([0.88, 0.08, 0.04, 0.88])
    assert weighed(np.zeros(2, np.float32), ["a", "b"], 0.3).tolist() == pytest.approx([0.3, 0.0])


def test_too_few_foreign_messages_teach_nothing() -> None:
    folds = [fold(n, foreign=2) for n in range(4)]
    assert fit_answerable(folds, EVEN) == (None, list(verdicts(held_out(folds, EVEN))))
