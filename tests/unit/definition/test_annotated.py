"""Marked texts outside a bot: exact places, and what is wrong is told with its line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from bot.definition.annotated import cuts_words, marked_twice, read_annotated
from bot.definition.labelled import MAX_TEXT, DataFile, Marked
from bot.errors import DefinitionError
from training.entities.spec import Span

FINE = {"text": "to Rome", "entities": [{"start": 3, "end": 7, "kind": "city"}]}


def read(tmp_path: Path, *rows: Any, **more: Any) -> DataFile[Marked]:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return read_annotated(path, tell=lambda _: None, **more)


def test_places_are_characters_of_the_text_as_it_is(tmp_path: Path) -> None:
    row = {
        "text": " 🙂 到北京 ",
        "lang": "zh",
        "entities": [{"start": 4, "end": 6, "kind": "city", "value": "Beijing"}],
    }
    found = read(tmp_path, row, FINE, FINE, {"text": "nothing", "entities": []})
    first = found.rows[0]
    assert (first.text, first.lang, first.spans) == (" 🙂 到北京 ", "zh", (Span(4, 6, "city"),))
    assert first.text[4:6] == "北京"
    assert (found.rows[1].lang, found.repeated, len(found.rows[3].spans)) == (None, 1, 0)


def test_gzip_is_read_and_long_files_are_drawn_from(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps({**FINE, "text": f"to Rome {n}"}) + "\n" for n in range(30))
    found = read_annotated(path, limit=10, tell=lambda _: None)
    assert (found.found, len(found.rows)) == (30, 10)


def test_a_long_text_is_cut_and_what_lies_beyond_is_dropped(tmp_path: Path) -> None:
    entities = [
        {"start": 0, "end": 2, "kind": "a"},
        {"start": MAX_TEXT + 1, "end": MAX_TEXT + 3, "kind": "a"},
    ]
    (row,) = read(tmp_path, {"text": "ab " * MAX_TEXT, "entities": entities}).rows
    assert (row.cut, len(row.text), row.spans) == (True, MAX_TEXT, (Span(0, 2, "a"),))


def test_what_cuts_words_is_counted() -> None:
    spans = (Span(0, 2, "a"), Span(3, 5, "a"), Span(5, 7, "a"))
    assert cuts_words(Marked("ab cdef g", spans, None, 1)) == 2


def test_texts_that_are_marked_in_two_ways_are_told_by_their_lines(tmp_path: Path) -> None:
    other = {**FINE, "entities": [{"start": 3, "end": 7, "kind": "person"}]}
    assert marked_twice(read(tmp_path, FINE, {"text": "a", "entities": []}, other, FINE).rows) == [1, 3, 4]
    assert marked_twice(read(tmp_path, FINE, FINE).rows) == []


def test_two_encodings_in_one_file_are_told_by_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    lines = [f'{{"text": "第{n}趟到北京的车几点开", "entities": []}}\n' for n in range(20)]
    path.write_bytes("".join(lines).encode() + lines[0].encode("gb18030"))
    with pytest.raises(DefinitionError, match=r"rows.jsonl:21: is not UTF-8 here"):
        read_annotated(path, tell=lambda _: None)


@pytest.mark.parametrize("rows", [[], [{}], [[]]])
def test_a_file_of_nothing_is_one_line(tmp_path: Path, rows: list[object]) -> None:
    with pytest.raises(DefinitionError) as told:
        read(tmp_path, *rows)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"text": "a"}, "has no `entities`."),
        ({"entities": []}, "has no `text`."),
        ({"text": " ", "entities": []}, "`text` is empty."),
        ({"text": "a", "entities": {}}, "`entities` is not a list."),
        ({"text": "a", "entities": ["a"]}, "entity 1 is no object."),
        ({"text": "a", "entities": [{"start": 0, "end": 1}]}, "entity 1 has no `kind`."),
        (
            {"text": "a", "entities": [{"start": 0, "end": 2, "kind": "x"}]},
            "goes from 0 to 2; the text has 1",
        ),
        ({"text": "a", "entities": [{"start": 1, "end": 1, "kind": "x"}]}, "goes from 1 to 1"),
        ({"text": "a", "entities": [{"start": True, "end": 1, "kind": "x"}]}, "are not whole numbers."),
        ({"text": "a", "entities": [{"start": 0, "end": 1, "kind": " "}]}, "`kind` is empty."),
        (
            {
                "text": "abc",
                "entities": [{"start": 0, "end": 2, "kind": "x"}, {"start": 1, "end": 3, "kind": "y"}],
            },
            "`ab` and `bc` overlap.",
        ),
        ({"text": "a", "entities": [], "lang": []}, "`lang` is neither a text"),
        ([], "is not a JSON object"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, row: object, said: str) -> None:
    with pytest.raises(DefinitionError) as told:
        read(tmp_path, FINE, row)
    assert said in str(told.value)
    assert told.value.line == 2


def test_too_many_kinds_are_no_kinds(tmp_path: Path) -> None:
    rows = [{"text": "a", "entities": [{"start": 0, "end": 1, "kind": f"k{n}"}]} for n in range(501)]
    with pytest.raises(DefinitionError, match="has 501 different kinds"):
        read(tmp_path, *rows)
