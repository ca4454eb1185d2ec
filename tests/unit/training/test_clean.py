"""What cannot be learned from goes, with its reason and its place."""

from __future__ import annotations

import pytest

from training.clean import AGAINST, CLASH, CONTROL, DRAWN, EMPTY, LONG, REPEATED, Tally, clean
from training.dataset import DatasetError, Row
from training.source import Found


def found(text: str, label: str = "a", line: int | None = None, *, own: bool = True) -> Found:
    return Found("intent", "file.jsonl" if own else "conversations", Row(text, label, line=line), own=own)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", EMPTY),
        (" \t\u3000", EMPTY),
        ("?!。", EMPTY),
        ("\u200b\ufeff", EMPTY),
        ("x" * 4_001, LONG),
        ("bell\x07", CONTROL),
        ("half \ud83d", CONTROL),
        ("lost \ufffd letter", CONTROL),
    ],
)
def test_what_is_no_text_goes(text: str, reason: str) -> None:
    tally = Tally()
    assert [item.text for item in clean([found(text, line=7), found("good\nline")], tally)] == ["good\nline"]
    assert [(one.reason, one.rows, one.where) for one in tally.removed()] == [(reason, 1, ("file.jsonl:7",))]


def test_a_text_stays_as_it_was_written_and_is_compared_by_its_normal_form() -> None:
    tally = Tally()
    kept = clean([found("ＬＯＳＴ my Card!", line=1), found("lost my card", line=2)], tally)
    assert [item.text for item in kept] == ["lost my card"]
    assert [(one.reason, one.where) for one in tally.removed()] == [(REPEATED, ("file.jsonl:1",))]


def test_one_text_under_two_labels_goes_with_both_and_is_told_with_its_lines() -> None:
    tally = Tally()
    kept = clean([found("same", "a", 1), found("Same?", "b", 5), found("other", "b", 6)], tally)
    assert [item.text for item in kept] == ["other"]
    removed = tally.removed()
    assert [(one.reason, one.rows) for one in removed] == [(CLASH, 2)]
    assert removed[0].where == ("file.jsonl:1 and file.jsonl:5",)


def test_the_authors_label_stands_against_what_customers_pressed() -> None:
    tally = Tally()
    kept = clean([found("same", "a"), found("same", "b", own=False), found("same", "a", own=False)], tally)
    assert [item.rows[0].row.label for item in kept] == ["a"]
    assert {one.reason: one.rows for one in tally.removed()} == {AGAINST: 1, REPEATED: 1}


def test_customers_who_pressed_different_answers_show_a_text_that_means_several() -> None:
    tally = Tally()
    assert clean([found("same", "a", own=False), found("same", "b", own=False)], tally) == []
    assert {one.reason: one.rows for one in tally.removed()} == {CLASH: 2}


def test_contradictions_all_over_are_no_oversight() -> None:
    rows = [found(f"text {n}") for n in range(27)] + [found(f"text {n}", "b", 40 + n) for n in range(3)]
    with pytest.raises(DatasetError, match="3 of 27 texts for intent have several labels"):
        clean(rows, Tally())
    clean(rows[:-1], Tally())


def test_labels_without_end_are_no_classes() -> None:
    with pytest.raises(DatasetError, match="more than 500 labels"):
        clean((found(f"text {n}", f"label {n}") for n in range(501)), Tally())
    clean((Found("retrieval", "f", Row(f"text {n}", f"key {n}")) for n in range(501)), Tally())


def test_of_too_many_as_many_are_drawn_as_are_taken() -> None:
    tally = Tally()
    rows = [found(f"text {n}") for n in range(100)]
    assert len(clean([*rows, *rows], tally, limit=30)) == 30
    assert {one.reason: one.rows for one in tally.removed()} == {DRAWN: 140, REPEATED: 30}
