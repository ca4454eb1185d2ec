"""Whatever a data file holds: rows, or one line that says where it stops."""

from __future__ import annotations

import gzip
import json
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bot.definition.labelled import MAX_LABEL, MAX_TEXT, DataFile, Example, read_examples
from bot.errors import DefinitionError
from retrieval.text import normalise

VALUES = st.one_of(
    st.text(max_size=20), st.integers(), st.none(), st.booleans(), st.lists(st.integers(), max_size=2)
)
ROWS = st.lists(
    st.fixed_dictionaries({}, optional={"text": VALUES, "label": VALUES, "more": VALUES}), max_size=8
)
WORDS = st.text("ab 卡丢!", min_size=1, max_size=4).filter(str.strip)
GOOD = st.lists(st.tuples(WORDS, st.sampled_from(["a", "b"])), min_size=1, max_size=12)


def check(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "data.jsonl"
        path.write_bytes(data)
        try:
            read = read_examples(path)
        except DefinitionError as error:
            said, where = str(error), str(path)
        else:
            check_rows(read)
            return
    assert said.startswith(where)
    assert "\n" not in said


def check_rows(read: DataFile[Example]) -> None:
    assert read.rows
    assert len(read.rows) + sum(map(len, read.clashes)) == read.found
    for row in read.rows:
        assert 0 < len(row.text) <= MAX_TEXT
        assert 0 < len(row.label) <= MAX_LABEL
        row.text.encode()


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes(data: bytes, packed: bool) -> None:
    check(gzip.compress(data) if packed else data)


@given(ROWS)
def test_any_rows(rows: list[dict[str, object]]) -> None:
    check("\n".join(map(json.dumps, rows)).encode())


@given(GOOD)
def test_every_row_is_used_or_its_line_is_named(pairs: list[tuple[str, str]]) -> None:
    labels: dict[str, set[str]] = {}
    for text, label in pairs:
        labels.setdefault(normalise(text.strip()), set()).add(label)
    fine = [n for n, (text, _) in enumerate(pairs, 1) if len(labels[normalise(text.strip())]) == 1]
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "data.jsonl"
        path.write_text("\n".join(json.dumps({"text": t, "label": n}) for t, n in pairs), encoding="utf-8")
        if not fine:
            return
        read = read_examples(path)
    assert [row.line for row in read.rows] == fine
    named = sorted(line for lines in read.clashes for line in lines)
    assert sorted([*fine, *named]) == list(range(1, len(pairs) + 1))
    assert read.repeated == len(fine) - len({normalise(row.text) for row in read.rows})
