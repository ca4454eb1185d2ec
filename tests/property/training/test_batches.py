"""Batches: whatever the tasks, every row stands in one of each epoch, and the epoch's length is known beforehand."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.tuning.batches import Batch, count, plan
from training.tuning.material import Material, gather
from training.tuning.recipes import Recipe, recipe_for
from training.tuning.task import Task


@st.composite
def materials(draw: st.DrawFn, weights: st.SearchStrategy[float]) -> tuple[Material, Recipe, np.ndarray]:
    tasks = []
    for name in draw(st.sets(st.sampled_from(["intent", "sentiment", "retrieval", "anchors"]), min_size=1)):
        labels = draw(st.lists(st.sampled_from("abcde"), max_size=40))
        labels += ["a", "a", "b"]
        tasks.append(Task(name, [f"{name} {n}" for n in range(len(labels))], labels, draw(weights)))
    contrast = draw(st.sampled_from([0.0, 0.5]))
    own = {
        "batch": draw(st.integers(2, 9)),
        "contrast": contrast,
        "seed": draw(st.integers(0, 9)),
        "keep": 1.0,
    }
    recipe = recipe_for("full", own)
    material = gather(sorted(tasks, key=lambda task: task.name), recipe)
    tokens = draw(st.lists(st.integers(1, 60), min_size=len(material.texts), max_size=len(material.texts)))
    return material, recipe, np.array(tokens, dtype=np.intp)


def seen(batches: list[Batch]) -> Counter[tuple[int, int]]:
    return Counter((batch.task, int(row)) for batch in batches for row in batch.rows)


@given(materials(st.just(1.0)), st.integers(0, 5))
def test_every_row_once_an_epoch(drawn: tuple[Material, Recipe, np.ndarray], epoch: int) -> None:
    material, recipe, lengths = drawn
    batches = plan(material, lengths, recipe, epoch)
    rows = {(number, row) for number, task in enumerate(material.tasks) for row in range(len(task.texts))}
    assert seen(batches) == Counter(rows)
    assert len(batches) == count(material, recipe)


@given(materials(st.just(2.0)))
def test_a_weight_of_two_is_twice(drawn: tuple[Material, Recipe, np.ndarray]) -> None:
    material, recipe, lengths = drawn
    assert set(seen(plan(material, lengths, recipe, 0)).values()) == {2}


@given(materials(st.floats(0.01, 3)), st.integers(0, 3))
def test_any_weight_gives_the_number_of_batches_that_was_told(
    drawn: tuple[Material, Recipe, np.ndarray], epoch: int
) -> None:
    material, recipe, lengths = drawn
    assert len(plan(material, lengths, recipe, epoch)) == count(material, recipe)


@given(materials(st.just(1.0)))
def test_the_same_epoch_is_the_same_again(drawn: tuple[Material, Recipe, np.ndarray]) -> None:
    material, recipe, lengths = drawn
    first, again = (plan(material, lengths, recipe, 1) for _ in range(2))
    assert [(b.task, b.rows.tolist()) for b in first] == [(b.task, b.rows.tolist()) for b in again]


@given(materials(st.just(1.0)))
def test_pairs_stand_together(drawn: tuple[Material, Recipe, np.ndarray]) -> None:
    """A text to be found that has another of its key meets one in its batch."""
    material, recipe, lengths = drawn
    for batch in plan(material, lengths, recipe, 0):
        task = material.tasks[batch.task]
        if task.task.kind != "pairs":
            continue
        whole, here = Counter(task.labels.tolist()), Counter(task.labels[batch.rows].tolist())
        assert all(here[key] >= 2 for key in here if whole[key] >= 2)
        assert len(batch.rows) <= max(recipe.batch, 2) * 1.5


def test_lengths_stand_together() -> None:
    """Of 4,000 texts of 5 to 60 tokens less than a hundredth is padding."""
    labels = ["a", "b"] * 2000
    recipe = recipe_for("full", {"names": False})
    material = gather([Task("intent", [str(n) for n in range(4000)], labels)], recipe)
    lengths = np.random.default_rng(0).integers(5, 60, 4000)
    batches = plan(material, lengths, recipe, 0)
    shown = sum(len(b.rows) * int(lengths[material.tasks[0].texts[b.rows]].max()) for b in batches)
    assert lengths.sum() / shown > 0.99
