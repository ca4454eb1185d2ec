"""Contrast sets of a bot folder: what is read, and what is said of a line that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.definition.contrasts import MAX_MESSAGES, MAX_TEXT, read_contrasts, require_contrasts
from bot.errors import DefinitionError

KNOWN = {("card-fee", "en"), ("card-fee", "zh"), ("hours", "en")}


def write(root: Path, *rows: object, lang: str = "en") -> None:
    texts = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    (root / f"contrasts.{lang}.jsonl").write_text("\n".join(texts), encoding="utf-8")


def row(**more: object) -> dict[str, object]:
    return {"id": "card-fee", "answered": ["what does a card cost"], "unanswered": ["who pays it"], **more}


def test_a_line_an_answer_in_each_language(tmp_path: Path) -> None:
    assert read_contrasts(tmp_path, ("zh", "en"), KNOWN) == ()
    write(tmp_path, row(), "", row(id="hours", answered="open on monday?"))
    write(tmp_path, row(answered=["办卡多少钱"], unanswered=["谁付这笔钱"]), lang="zh")
    write(tmp_path, "no JSON, and of a language that the bot does not speak", lang="fr")
    zh, fee, hours = read_contrasts(tmp_path, ("zh", "en"), KNOWN)
    assert (zh.key, zh.lang, zh.answered, zh.line) == ("card-fee", "zh", ("办卡多少钱",), 1)
    assert (fee.lang, fee.unanswered, fee.file) == ("en", ("who pays it",), "contrasts.en.jsonl")
    assert (hours.answered, hours.line) == (("open on monday?",), 3)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (row(answers=["a"]), "unknown key `answers`. Did you mean `answered`?"),
        (row(id=" "), "`id` is not a text"),
        (row(answered=[]), "`answered` is not a text, or a list of texts"),
        (row(unanswered=[1]), "`unanswered` is not a text, or a list of texts"),
        (row(unanswered=["What does a CARD cost?"]), "is both answered and unanswered"),
        (row(answered=["a"] * (MAX_MESSAGES + 1)), f"has more than {MAX_MESSAGES} texts"),
        (row(answered=["a" * (MAX_TEXT + 1)]), f"is longer than {MAX_TEXT} characters"),
        (row(id="fee"), "`fee` is no stored answer in en"),
        (row(id="hours"), "`hours` has a line already"),
        ("[]", "is not a JSON object"),
    ],
)
def test_the_first_line_that_cannot_be_used_is_named(tmp_path: Path, wrong: object, said: str) -> None:
    write(tmp_path, row(id="hours"), wrong)
    with pytest.raises(DefinitionError) as raised:
        read_contrasts(tmp_path, ("en",), KNOWN)
    assert said in str(raised.value)
    assert (raised.value.file, raised.value.line) == ("contrasts.en.jsonl", 2)
    assert raised.value.hint


def test_who_needs_some_is_told_where_to_write_them(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as raised:
        require_contrasts(tmp_path, ("zh", "en"), KNOWN)
    assert "contrasts.zh.jsonl or contrasts.en.jsonl" in raised.value.hint
