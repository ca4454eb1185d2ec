"""Each label on each side where it has texts enough; what has a time by time; conversations whole."""

from __future__ import annotations

from collections import Counter

import pytest

from training.clean import Item, Tally, clean
from training.dataset import DatasetError, Row, Split
from training.source import Found
from training.split import Shares, kept_back, split


def items(*rows: Row) -> list[Item]:
    return clean((Found("intent", "file", row) for row in rows), Tally())


def sides_of(some: list[Item], sides: dict[str, Split]) -> dict[str, Split]:
    return {item.text: sides[item.id] for item in some}


@pytest.mark.parametrize(
    ("texts", "held"), [(1, 0), (2, 0), (3, 1), (4, 1), (5, 1), (8, 2), (20, 4), (50, 10)]
)
def test_a_fifth_of_each_label_is_held_out_and_one_of_three(texts: int, held: int) -> None:
    some = items(*(Row(f"{label} number {n}", label) for label in "abc" for n in range(texts)))
    sides = split(some)
    for label in "abc":
        mine = [sides[item.id] for item in some if item.rows[0].row.label == label]
        assert len(mine) - mine.count("train") == held


def test_what_is_held_out_is_shared_between_the_test_and_choosing() -> None:
    some = items(*(Row(f"{label} number {n}", label) for label in map(str, range(40)) for n in range(4)))
    counts = Counter(split(some).values())
    assert counts == {"train": 120, "valid": 20, "test": 20}
    assert Counter(split(some, shares=Shares(0.0, 0.25)).values()) == {"train": 120, "test": 40}
    assert Counter(split(some, shares=Shares(0.0, 0.0)).values()) == {"train": 160}


def test_both_languages_are_on_both_sides_that_are_held_out() -> None:
    rows = [
        Row(f"{lang} {label} number {n}", str(label), lang)
        for label in range(20)
        for lang in ("en", "zh")
        for n in range(5)
    ]
    some = items(*rows)
    sides = split(some)
    counts = Counter((item.rows[0].row.lang, sides[item.id]) for item in some)
    assert {counts[lang, side] for lang in ("en", "zh") for side in ("valid", "test")} == {10}


def test_another_seed_gives_another_split_and_the_same_one_the_same() -> None:
    some = items(*(Row(f"text {n}", "a") for n in range(50)))
    assert split(some, seed=1) == split(some, seed=1) != split(some, seed=2)


def test_the_latest_are_the_test() -> None:
    some = items(*(Row(f"text {n:02}", "a", at=f"2026-01-{n:02}T00:00:00Z") for n in range(1, 21)))
    sides = sides_of(some, split(some))
    assert {text for text, side in sides.items() if side == "test"} == {"text 19", "text 20"}
    assert {text for text, side in sides.items() if side == "valid"} == {"text 17", "text 18"}


def test_a_label_that_only_came_up_lately_is_learned_from_its_earliest_text() -> None:
    old = [Row(f"text {n:02}", "a", at=f"2026-01-{n:02}") for n in range(1, 19)]
    some = items(*old, Row("new one", "b", at="2026-01-19"), Row("newest one", "b", at="2026-01-20"))
    sides = sides_of(some, split(some))
    assert (sides["new one"], sides["newest one"]) == ("train", "test")


def test_a_conversation_is_held_out_whole_or_not_at_all() -> None:
    some = items(*(Row(f"text {n}", f"label {n % 3}", group=f"talk {n // 4}") for n in range(80)))
    sides = split(some)
    by_group = {one.row.group: set[str]() for item in some for one in item.rows}
    for item in some:
        by_group[item.rows[0].row.group].add(sides[item.id])
    assert all(len(found) == 1 for found in by_group.values())
    assert len(Counter(sides.values())) == 3


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(DatasetError, match="no ISO 8601 time: yesterday"):
        split(items(Row("text", "a", at="yesterday")))


def test_a_share_of_each_label_and_language_is_kept_back_and_two_stay() -> None:
    many, few = 10, 3
    rows = [Row(f"{lang} {n} of {many}", "many", lang) for lang in ("en", "zh") for n in range(many)]
    some = items(*rows, *(Row(f"{n} of {few}", "few", "en") for n in range(few)))
    back = Counter(
        (one.row.label, one.row.lang)
        for item in some
        if item.id in kept_back(some, share=0.4)
        for one in item.rows
    )
    assert back == {("many", "en"): 6, ("many", "zh"): 6, ("few", "en"): 1}
    assert kept_back(reversed(some), share=0.4) == kept_back(some, share=0.4)
    assert kept_back(some, share=1.0) == set()
    talk = items(*(Row(f"said {n}", "many", "en", group="one") for n in range(9)), *rows)
    said = {item.id for item in talk if item.rows[0].row.group}
    assert kept_back(talk, share=0.2) & said in (said, set())
