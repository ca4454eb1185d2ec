"""Copies that are learned too: which there are, where they may come from, and what they are seen to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from retrieval.onnx_encoder import OnnxEncoder
from retrieval.testing import HashEncoder
from training.ablation import ALL, CLEAN, EXAMPLES, NONE, PLAN, ablate, sample
from training.augment import TRANSLATED, copies, fit_to_learn, translated
from training.dataset import Row
from training.errors import TrainingError

ROWS = [
    Row("block my lost card", "lost", "en"),
    Row("我的信用卡丢了怎么办", "lost", "zh"),
    Row("12", "fee", line=3),
]


def test_copies_keep_their_label_and_read_otherwise() -> None:
    found, told = copies(ROWS, ["typo", "upper", "traditional"], each=3, seed=5)
    assert told == {"typo": len(found), "upper": 0, "traditional": 0}
    assert 4 <= len(found) <= 6
    assert {row.label for row in found} == {"lost"}
    assert {row.lang for row in found} == {"en", "zh"}
    assert len({row.text for row in found} - {row.text for row in ROWS}) == len(found)
    assert copies(ROWS, ["typo"], each=3, seed=5)[0] == found
    assert copies(ROWS, ["typo"], each=3, seed=6)[0] != found


def test_no_copy_is_a_text_that_something_is_judged_by() -> None:
    found, _ = copies(ROWS, ["typo"])
    assert fit_to_learn(found, [Row(found[0].text.upper() + "?", "other")]) == found[1:]


def test_what_comes_back_from_another_language_is_a_copy_unless_it_is_the_text_again() -> None:
    said = {
        ROWS[0].text: "Please block the card I lost",
        ROWS[1].text: ROWS[1].text + "？",
        ROWS[2].text: None,
    }
    found, told = translated(ROWS, lambda texts: [said[text] for text in texts])
    assert [row.text for row in found] == ["Please block the card I lost"]
    assert told == {TRANSLATED: 1}


def test_a_sample_is_even_over_labels_and_languages() -> None:
    rows = [
        Row(f"{label} {lang} {n}", label, lang) for label in "ab" for lang in ("en", "zh") for n in range(6)
    ]
    rows += [Row("few", "c", "en")] * 2
    some = sample(rows, most=8)
    assert {(label, lang) for label in "ab" for lang in ("en", "zh")} == {
        (row.label, row.lang) for row in some
    }
    assert len(some) == 8
    assert all(sum(row.label == label for row in some) == 4 for label in "ab")


def test_a_table_says_what_learning_from_copies_does_to_each_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OnnxEncoder, "open", lambda folder: HashEncoder())
    words = {
        "lost": ["block my lost card", "my card is lost"],
        "fee": ["what fee do you take", "how high is the fee"],
    }
    rows = [
        {"text": f"{text} {extra}", "label": label, "lang": "en"}
        for label, texts in words.items()
        for text in texts
        for extra in ("now", "please", "today")
    ]
    (tmp_path / EXAMPLES).write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    plan = {"changes": ["typo", "synonym", "upper"], "most": 100, "back_translation": None}
    (tmp_path / PLAN).write_text(json.dumps(plan), encoding="utf-8")
    found = ablate(tmp_path, tmp_path, report=lambda *_: None)
    assert found["columns"] == [CLEAN, "typo", "synonym", "upper"]
    assert [row["learned"] for row in found["rows"]] == [NONE, "typo", "synonym", "upper", ALL]
    none, typo, _, upper, every = found["rows"]
    assert (none["copies"], upper["copies"]) == (0, 0)
    assert typo["copies"] > 0
    assert every["copies"] == sum(row["copies"] for row in found["rows"][1:4])
    assert none["accuracy"]["clean"]["n"] == 12
    assert none["accuracy"]["upper"] == none["accuracy"]["clean"]
    assert none["gain"]["typo"]["value"] == 0.0
    assert none["languages"].keys() == {"en"}
    plan["most"] = 1
    (tmp_path / PLAN).write_text(json.dumps(plan), encoding="utf-8")
    with pytest.raises(TrainingError, match="too few examples"):
        ablate(tmp_path, tmp_path, report=lambda *_: None)
