"""A bot's own questions: what is read, and what is said of a line that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.definition.questions import OTHERS, read_pairs, read_questions
from bot.errors import DefinitionError


def write(root: Path, *rows: object, name: str = "questions.jsonl") -> Path:
    path = root / "tests" / name
    path.parent.mkdir(exist_ok=True)
    texts = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("\n".join(texts), encoding="utf-8")
    return path


def test_the_least_and_the_most_that_a_question_says(tmp_path: Path) -> None:
    most = {
        "id": "z",
        "lang": "zh",
        "turns": ["卡丢了", "要钱吗"],
        "expected": ["card-fee", "clarify"],
        "between": ["card-fee"],
        "says": ["10"],
    }
    path = write(tmp_path, {"text": "lost card", "expected": "card-lost"}, "", most)
    write(tmp_path, {"text": "hi", "expected": "greet"}, name="more.jsonl")
    greet, least, full = read_questions(tmp_path)
    assert (greet.file, greet.expected) == ("tests/more.jsonl", ("greet",))
    assert (least.id, least.turns, least.lang) == ("tests/questions.jsonl:1", ("lost card",), None)
    assert (full.id, full.turns, full.expected, full.line) == (
        "z",
        ("卡丢了", "要钱吗"),
        ("card-fee", "clarify"),
        3,
    )
    assert (full.between, full.says) == (("card-fee",), ("10",))
    assert [question.line for question in read_questions(path)] == [1, 3]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"text": "a"}, "`expected` is not a text"),
        ({"expected": "a"}, "has to have `text`, or `turns`"),
        ({"text": "a", "turns": ["a"], "expected": "a"}, "has to have `text`, or `turns`"),
        ({"text": " ", "expected": "a"}, "`text` is not a text"),
        ({"turns": [], "expected": "a"}, "`turns` is not a text"),
        ({"text": "a", "expected": ["a", 1]}, "`expected` is not a text"),
        ({"text": "a", "expected": "a", "group": 1}, "`group` is not a text"),
        ({"text": "a", "expected": "a", "negated": "b"}, "unknown key `negated`"),
        ({"text": "a", "expect": "a"}, "unknown key `expect`. Did you mean `expected`?"),
        (
            {"text": "a", "expected": "a", "lang": "fr"},
            "`lang` is not a language that is known. Known: zh, en.",
        ),
        ("{", "is not JSON"),
        ("[]", "is not a JSON object"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, row: object, said: str) -> None:
    write(tmp_path, {"text": "fine", "expected": "a"}, row)
    with pytest.raises(DefinitionError) as caught:
        read_questions(tmp_path)
    assert str(caught.value).startswith(f"tests/questions.jsonl:2: {said}")


def test_an_id_stands_once_and_a_folder_without_questions_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"Write tests/questions\.jsonl"):
        read_questions(tmp_path)
    row = {"id": "a", "text": "a", "expected": "a"}
    write(tmp_path, row, row)
    with pytest.raises(DefinitionError, match="the id `a` is taken already"):
        read_questions(tmp_path)


def test_pairs_of_a_wish_and_its_negation_stand_in_a_file_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, {"text": "hi", "expected": "greet", "group": "web"})
    assert read_pairs(tmp_path) == ()
    row = {"id": "n", "text": "block my card", "expected": "card-lost", "negated": "don't block my card"}
    write(tmp_path, row, name="negation.jsonl")
    write(tmp_path, {"text": "to Rome", "entities": []}, name="entities.jsonl")  # asks nothing
    (pair,) = read_pairs(tmp_path)
    assert (pair.question.turns, pair.negated) == (("block my card",), "don't block my card")
    (question,) = read_questions(tmp_path)
    assert (question.expected, question.group) == (("greet",), "web")
    write(tmp_path, row, {"text": "a", "expected": "b"}, name="negation.jsonl")
    with pytest.raises(DefinitionError, match="`negated` is not a text") as refused:
        read_pairs(tmp_path)
    assert (refused.value.file, refused.value.line) == ("tests/negation.jsonl", 2)


def test_files_of_another_form_are_no_questions(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "questions.jsonl").write_text('{"text": "a", "expected": "b"}\n', encoding="utf-8")
    for name in OTHERS:
        (tmp_path / "tests" / name).write_text('{"anything": 1}\n', encoding="utf-8")
    assert [question.turns for question in read_questions(tmp_path)] == [("a",)]
