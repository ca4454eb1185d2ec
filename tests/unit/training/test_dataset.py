"""A data set comes back as it was written, is told apart by its content, and a damaged one is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.dataset import (
    ABOUT,
    DatasetError,
    Origin,
    Removed,
    Row,
    Rows,
    Source,
    read_dataset,
    write_dataset,
)

PARTS: Rows = {
    "intent": {
        "train": [Row("hello", "greet", "en", line=1), Row("你好", "greet", "zh", line=2)],
        "test": [Row("my card\nis | gone", "card_lost", "en", "c1", "2026-01-02T03:04:05+00:00", 9)],
    },
    "retrieval": {"train": [Row("a", "key"), Row("b", "key")], "valid": [Row("c", "key")]},
}
ORIGIN = Origin(
    seed=3,
    foreign="out_of_scope",
    sources=(Source("intents.yml", "folder", 3, terms="the author's own", taken="every example"),),
    removed=(Removed("repeated", "intent", 2, ("intents.yml:4",)),),
    scrubbed={"email": 1},
    leaks={"the same text": 0},
    notes=("One label has one example.",),
)


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    written = write_dataset(tmp_path / "data", PARTS, ORIGIN)
    read = read_dataset(tmp_path / "data")
    assert read.hash == written.hash
    assert read.origin == ORIGIN
    assert read.tasks == ("intent", "retrieval")
    assert list(read.rows("intent", "train")) == list(PARTS["intent"]["train"])
    assert list(read.rows("intent", "test")) == list(PARTS["intent"]["test"])
    assert read.rows("intent", "valid") == ()
    assert read.rows("sentiment", "train") == ()


def test_its_hash_is_of_the_rows_not_of_their_order_or_lines(tmp_path: Path) -> None:
    one = write_dataset(tmp_path / "one", PARTS, ORIGIN)
    turned: Rows = {
        task: {
            split: [_moved(row) for row in reversed(rows)] for split, rows in reversed(list(splits.items()))
        }
        for task, splits in reversed(list(PARTS.items()))
    }
    assert write_dataset(tmp_path / "two", turned).hash == one.hash
    other: Rows = {**PARTS, "intent": {"train": PARTS["intent"]["test"], "test": PARTS["intent"]["train"]}}
    assert write_dataset(tmp_path / "three", other).hash != one.hash


def _moved(row: Row) -> Row:
    return Row(row.text, row.label, row.lang, row.group, row.at, 77)


def test_one_letter_changed_is_refused(tmp_path: Path) -> None:
    write_dataset(tmp_path / "data", PARTS, ORIGIN)
    path = tmp_path / "data" / "intent.train.jsonl"
    path.write_text(path.read_text("utf-8").replace("hello", "hullo"), "utf-8")
    with pytest.raises(DatasetError, match="not those that it was made with"):
        read_dataset(tmp_path / "data")


@pytest.mark.parametrize("name", [ABOUT, "intent.train.jsonl"])
def test_what_is_torn_is_refused_without_its_text(tmp_path: Path, name: str) -> None:
    write_dataset(tmp_path / "data", PARTS, ORIGIN)
    path = tmp_path / "data" / name
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DatasetError, match="Make the data set again") as caught:
        read_dataset(tmp_path / "data")
    assert "你好" not in str(caught.value)


def test_a_missing_file_and_a_missing_folder_are_told_apart(tmp_path: Path) -> None:
    write_dataset(tmp_path / "data", PARTS, ORIGIN)
    (tmp_path / "data" / "intent.test.jsonl").unlink()
    with pytest.raises(DatasetError, match=r"intent\.test\.jsonl is damaged: No such file"):
        read_dataset(tmp_path / "data")
    with pytest.raises(DatasetError, match="is no data set"):
        read_dataset(tmp_path / "nowhere")


def test_another_format_is_refused(tmp_path: Path) -> None:
    write_dataset(tmp_path / "data", PARTS, ORIGIN)
    path = tmp_path / "data" / ABOUT
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"format": 9}), "utf-8")
    with pytest.raises(DatasetError, match="format 9"):
        read_dataset(tmp_path / "data")


def test_the_card_tells_where_from_how_many_and_what_not(tmp_path: Path) -> None:
    write_dataset(tmp_path / "data", PARTS, ORIGIN)
    card = json.loads((tmp_path / "data" / "card.json").read_text("utf-8"))
    assert card["tasks"]["intent"]["rows"] == {"train": 2, "valid": 0, "test": 1}
    assert card["tasks"]["intent"]["languages"]["en"] == {"train": 1, "valid": 0, "test": 1}
    assert card["tasks"]["retrieval"]["labels"] == {"key": {"train": 2, "valid": 1, "test": 0}}
    page = (tmp_path / "data" / "card.md").read_text("utf-8")
    assert "| `intents.yml` | folder | 3 | the author's own |" in page
    assert "| intent | repeated | 2 | `intents.yml:4` |" in page
    assert "my card" not in page
    assert "One label has one example." in page
