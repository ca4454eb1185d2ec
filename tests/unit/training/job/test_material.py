"""What a job learns from: what cannot be learned is said, and what is held out is held out by rules."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.unit.training.job.children import CARDS, MONEY, TRAVEL
from training.dataset import Dataset, Origin, Row, write_dataset
from training.job.material import Part, held_out, read_material
from training.job.place import JobError
from training.spec import Spec


def data(place: Path, parts: Any, foreign: str | None = None) -> Dataset:
    return write_dataset(place / "data", parts, Origin(foreign=foreign))


@pytest.mark.parametrize(
    ("parts", "foreign", "told"),
    [
        ({}, None, "holds no rows"),
        ({"intent": {"test": TRAVEL}}, None, "has no training rows for intent"),
        ({"intent": {"train": TRAVEL}}, None, "fewer than two labels"),
        ({"intent": {"train": [*TRAVEL, Row("x", "oos")]}}, "oos", "fewer than two labels"),
        (
            {"retrieval": {"train": [Row("a", "1"), Row("b", "2")]}},
            None,
            "no two training rows for retrieval",
        ),
    ],
)
def test_what_cannot_be_learned_is_one_line(
    parts: Any, foreign: str | None, told: str, tmp_path: Path
) -> None:
    with pytest.raises(JobError, match=told):
        read_material(Spec(), data(tmp_path, parts, foreign))


def test_a_task_that_the_data_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="no training rows for sentiment"):
        read_material(
            Spec(tasks={"sentiment": 1.0}), data(tmp_path, {"intent": {"train": [*TRAVEL, *MONEY]}})
        )


def test_contradictions_are_left_out_and_counted(tmp_path: Path) -> None:
    train = [*TRAVEL, *MONEY, Row("hello", "ask_fee"), Row("Hello!", "book_travel")]
    material = read_material(
        Spec(), data(tmp_path, {"intent": {"train": train, "valid": [Row("hm", "unheard"), *CARDS[:0]]}})
    )
    assert len(material.parts["intent"].train) == len(TRAVEL) + len(MONEY)
    assert material.parts["intent"].valid == []
    assert material.notes == (
        "intent: training rows left out, as their text has several labels: 2.",
        "intent: validation rows passed over, as training lacks their label: 1.",
    )


def test_a_tenth_of_each_label_is_held_out_and_a_rare_label_is_not() -> None:
    rows = [*TRAVEL, *MONEY, Row("once", "rare")]
    part = held_out(Part(rows, (), ()), "intent", seed=0)
    assert part.held
    assert Counter(row.label for row in part.valid) == {"book_travel": 1, "ask_fee": 1}
    assert sorted([*part.train, *part.valid], key=str) == sorted(rows, key=str)
    assert held_out(Part(rows[::-1], (), ()), "intent", seed=0).valid == part.valid[::-1]


def test_a_conversation_is_held_out_whole() -> None:
    rows = [Row(f"{label} {n}", label, group=f"talk {n // 2}") for label in ("a", "b") for n in range(40)]
    part = held_out(Part(rows, (), ()), "intent", seed=0)
    assert part.valid
    assert not {row.group for row in part.valid} & {row.group for row in part.train}


def test_validation_rows_that_are_there_are_used() -> None:
    part = Part(TRAVEL, MONEY, ())
    assert held_out(part, "intent", seed=0) is part


def test_of_an_answer_two_texts_stay_to_learn_from() -> None:
    rows = [Row(f"{n} of {key}", f"key {key}") for key in range(30) for n in range(3 if key % 2 else 2)]
    part = held_out(Part(rows, (), ()), "retrieval", seed=0)
    assert 0 < len(part.valid) <= 2
    assert min(Counter(row.label for row in part.train).values()) == 2
