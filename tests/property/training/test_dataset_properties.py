"""Whatever labelled texts come in whatever order: nothing stands on two sides, and nothing is lost without a reason."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.text import normalise
from training.clean import Tally, clean
from training.dataset import SPLITS, TASKS, Dataset, DatasetError, Origin, Row, Task, read_dataset
from training.near import NEAR, shingles, similarity
from training.prepare import make_dataset
from training.source import Found

WORDS = ("card", "Card", "lost", "refund", "where", "卡", "丢了", "退款", "!", "\u200b", "\x00")
texts = st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)
times = st.integers(0, 400).map(
    lambda day: (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)).isoformat()
)


@st.composite
def found(draw: st.DrawFn) -> Found:
    task: Task = draw(st.sampled_from(("intent", "retrieval")))
    row = Row(
        draw(texts),
        draw(st.sampled_from("abcd")),
        draw(st.sampled_from(("zh", "en", None))),
        draw(st.none() | st.sampled_from(("g1", "g2", "g3", "g4"))),
        draw(st.none() | times),
        draw(st.none() | st.integers(1, 99)),
    )
    return Found(task, draw(st.sampled_from(("one", "two"))), row, own=draw(st.booleans()))


many = st.lists(found(), max_size=40)


def made(rows: list[Found], *, seed: int = 0, learn: float = 1.0) -> Dataset | str:
    """The data set, read back; or why there is none."""
    with TemporaryDirectory() as place:
        try:
            make_dataset(rows, Origin(seed=seed), Path(place) / "data", learn=learn)
        except DatasetError as error:
            return str(error)
        return read_dataset(Path(place) / "data")


@settings(deadline=None, max_examples=180)
@given(many, st.integers(0, 5), st.sampled_from([1.0, 0.5, 0.1]))
def test_no_text_and_no_conversation_stands_on_two_sides_and_all_is_accounted_for(
    rows: list[Found], seed: int, learn: float
) -> None:
    data = made(rows, seed=seed, learn=learn)
    if isinstance(data, str):
        return
    texts: defaultdict[str, set[str]] = defaultdict(set)
    groups: defaultdict[str, set[str]] = defaultdict(set)
    kept: Counter[str] = Counter()
    for task in data.tasks:
        learned = {row.label for row in data.rows(task, "train")}
        for side in SPLITS:
            for row in data.rows(task, side):
                texts[normalise(row.text)].add(side)
                groups[row.group or f"none {row.text}"].add(side)
                kept[task] += 1
                assert row.label in learned
    assert all(len(sides) == 1 for sides in [*texts.values(), *groups.values()])
    removed: Counter[str] = Counter()
    for one in data.origin.removed:
        removed[one.task] += one.rows
    assert kept + removed == Counter(one.task for one in rows)


@settings(deadline=None, max_examples=60)
@given(many, st.randoms(use_true_random=False))
def test_the_order_of_what_comes_changes_nothing(rows: list[Found], chance: random.Random) -> None:
    other = list(rows)
    chance.shuffle(other)
    one, two = made(rows), made(other)
    if isinstance(one, str) or isinstance(two, str):
        assert one == two
        return
    assert (one.hash, one.origin) == (two.hash, two.origin)
    assert all(one.rows(task, side) == two.rows(task, side) for task in one.tasks for side in SPLITS)


@settings(deadline=None, max_examples=60)
@given(many)
def test_training_is_near_nothing_that_is_held_out(rows: list[Found]) -> None:
    data = made(rows)
    if isinstance(data, str):
        return
    for task in data.tasks:
        held = [*data.rows(task, "valid"), *data.rows(task, "test")]
        for row in data.rows(task, "train"):
            near = [
                other
                for other in held
                if other.label == row.label and similarity(shingles(row.text), shingles(other.text)) >= NEAR
            ]
            assert not near


@settings(deadline=None, max_examples=180)
@given(many, st.integers(1, 6), st.randoms(use_true_random=False))
def test_a_draw_is_the_same_in_any_order(rows: list[Found], limit: int, chance: random.Random) -> None:
    rows = [one for one in rows if one.own]
    other = list(rows)
    chance.shuffle(other)
    try:
        one, two = Tally(), Tally()
        items = clean(rows, one, limit=limit)
        assert clean(other, two, limit=limit) == items
    except DatasetError:
        return
    assert (one.counts, one.places) == (two.counts, two.places)
    for task in TASKS:
        assert sum(one.task == task for item in items for one in item.rows) <= limit
