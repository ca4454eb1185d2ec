"""Data files outside a bot: what is read, what is said, and at which line it stops."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from bot.definition.labelled import MAX_LABEL, MAX_TEXT, read_asked, read_examples
from bot.errors import DefinitionError


def written(folder: Path, *rows: object, encoding: str = "utf-8") -> Path:
    path = folder / "data.jsonl"
    lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_bytes("\n".join(lines).encode(encoding))
    return path


def example(text: str, label: object = "a") -> dict[str, object]:
    return {"text": text, "label": label}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_any_usual_encoding_and_gzip(tmp_path: Path, encoding: str) -> None:
    path = written(
        tmp_path, example("银行卡丢了，怎么办？", "挂失"), example("转账需要多久？", 1), encoding=encoding
    )
    read = read_examples(path)
    assert [(row.text, row.label, row.line) for row in read.rows] == [
        ("银行卡丢了，怎么办？", "挂失", 1),
        ("转账需要多久？", "1", 2),
    ]
    packed = tmp_path / "data.jsonl.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_examples(packed).rows == read.rows
    assert read_examples(packed).sha256 != read.sha256


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], "data.jsonl: holds no row. Name a file of JSON lines."),
        (["", "  "], "holds no row."),
        ([example("x"), "{text: y}"], "data.jsonl:2: is not JSON"),
        (
            [example("x"), [1]],
            'data.jsonl:2: is not a JSON object. Write one {"text": ..., "label": ...} a line.',
        ),
        ([{"text": "x"}], "data.jsonl:1: has no `label`."),
        ([example("x"), "", {"label": "a"}], "data.jsonl:3: has no `text`."),
        ([example(" ")], "data.jsonl:1: `text` is empty."),
        ([example("x", "")], "data.jsonl:1: `label` is empty."),
        ([example("x", True)], "data.jsonl:1: `label` is neither a text nor a whole number."),
        ([example("x", "a" * (MAX_LABEL + 1))], "`label` is longer than 200 characters"),
        (['{"text": "\\ud800", "label": "a"}'], "data.jsonl:1: `text` holds half a character"),
        ([example("x", "a"), example("X", "b")], "data.jsonl: every text has two labels."),
        ([example(f"x{n}", n) for n in range(501)], "data.jsonl: has 501 different labels."),
    ],
)
def test_what_cannot_be_used_stops_with_file_and_line(
    tmp_path: Path, rows: list[object], expected: str
) -> None:
    with pytest.raises(DefinitionError) as caught:
        read_examples(written(tmp_path, *rows))
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_encodings_in_one_file_are_told_by_line(tmp_path: Path) -> None:
    path = written(tmp_path, *(example(f"第{n}行的文字都是正常的") for n in range(20)))
    broken = json.dumps(example("转账"), ensure_ascii=False).encode("gb18030")
    path.write_bytes(path.read_bytes() + b"\n" + broken)
    with pytest.raises(DefinitionError, match=r"data.jsonl:21: is not UTF-8 here. Save the file as UTF-8."):
        read_examples(path)


@pytest.mark.parametrize("name", ["nowhere.jsonl", "."])
def test_a_file_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(DefinitionError, match="cannot be read"):
        read_examples(tmp_path / name)


def test_a_text_with_two_labels_is_left_out_and_its_lines_are_kept(tmp_path: Path) -> None:
    rows = [example("Hello", "a"), example("x"), example("hello!", "b"), example("x"), example("HELLO", "a")]
    read = read_examples(written(tmp_path, *rows))
    assert [row.line for row in read.rows] == [2, 4]
    assert (read.clashes, read.repeated, read.found) == (((1, 3, 5),), 1, 5)


def test_of_a_long_file_the_same_rows_are_drawn_each_time(tmp_path: Path) -> None:
    path = written(tmp_path, *(example(f"text {n}") for n in range(2_000)))
    first, second = read_examples(path, limit=100), read_examples(path, limit=100)
    lines = [row.line for row in first.rows]
    assert first.rows == second.rows
    assert (first.found, len(lines), lines) == (2_000, 100, sorted(set(lines)))
    assert 800 < sum(lines) / len(lines) < 1_200  # from all of the file, not from its beginning
    assert len(read_examples(path, limit=2_000).rows) == 2_000


def test_how_far_reading_is_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.definition.labelled.TOLD", 1_000)
    path, said = written(tmp_path, *(example(f"text {n}") for n in range(2_500))), list[str]()
    read_examples(path, tell=said.append)
    name = f"reading: {path.name}"
    assert said == [f"{name}, 1,000 rows", f"{name}, 2,000 rows"]


def test_long_texts_are_cut_and_counted(tmp_path: Path) -> None:
    read = read_examples(written(tmp_path, example("x" * (MAX_TEXT + 1)), example("y" * MAX_TEXT)))
    assert [len(row.text) for row in read.rows] == [MAX_TEXT, MAX_TEXT]
    assert read.cut == 1


def test_queries_name_one_answer_or_several(tmp_path: Path) -> None:
    rows = [
        {"text": "a", "id": 7},
        {"text": "b", "expected": "lost card", "id": "its own"},
        {"text": "c", "expected": ["x", 2, "x"]},
    ]
    read = read_asked(written(tmp_path, *rows))
    assert [row.expected for row in read.rows] == [("7",), ("lost card",), ("x", "2")]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"text": "a"}, "has neither `expected` nor `id`."),
        ({"text": "a", "expected": []}, "`expected` is empty."),
        ({"text": "a", "expected": [" "]}, "`expected` is empty."),
        ({"text": "a", "expected": {}}, "`expected` is neither a text nor a whole number."),
        ({"id": "a"}, "has no `text`."),
    ],
)
def test_a_query_that_cannot_be_used(tmp_path: Path, row: object, expected: str) -> None:
    with pytest.raises(DefinitionError, match=r"data\.jsonl:1") as caught:
        read_asked(written(tmp_path, row))
    assert expected in str(caught.value)
