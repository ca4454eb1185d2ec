"""What cannot be learned is refused in a line that says what to do; what can is numbered."""

from __future__ import annotations

import pytest

from training.errors import TrainingError
from training.tuning.material import gather
from training.tuning.recipes import recipe_for
from training.tuning.task import Task

RECIPE = recipe_for("full")


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        ([], "name a task"),
        ([Task("intent", ["a"], ["x"])], "1 labels: a classifier needs two"),
        ([Task("intent", ["a", "b"], ["x"])], "2 texts and 1 labels"),
        ([Task("intent", ["a", "b", " "], ["x", "y", "z"])], "label 'z' has no text"),
        ([Task("intent", ["a", "b"], ["x", "y"], weight=0)], "weight 0"),
        ([Task("intent", [], [])], "0 labels"),
        ([Task("retrieval", [], [])], "no pairs"),
        ([Task("anchors", ["a"], [""])], "keep is 0"),
        ([Task("retrieval", ["a", "b"], ["x", "y"])], "no pairs"),
        ([Task("intent", ["a", "b"], ["x", "y"])] * 2, "2 tasks 'intent'"),
    ],
)
def test_refused(tasks: list[Task], said: str) -> None:
    with pytest.raises(TrainingError, match=said):
        gather(tasks, RECIPE)


def test_anchors_need_texts() -> None:
    with pytest.raises(TrainingError, match="has no texts"):
        gather([Task("anchors", [], [])], recipe_for("full", {"keep": 1}))


def test_texts_are_numbered_once_and_names_of_labels_are_texts_too() -> None:
    intent = Task("intent", ["my card", "hi", "my card"], ["card_lost", "out_of_scope", "card_lost"])
    found = gather([intent, Task("retrieval", ["hi", "my card"], ["k", "k"])], RECIPE)
    assert found.texts == ["my card", "hi", "card lost"]
    assert found.tasks[0].texts.tolist() == [0, 1, 0, 2]
    assert found.tasks[0].names == ("card_lost", "out_of_scope")
    assert found.tasks[0].labels.tolist() == [0, 1, 0, 0]
    assert found.tasks[1].texts.tolist() == [1, 0]


def test_what_nobody_would_say_is_no_text() -> None:
    task = Task("intent", ["a", "b"], ["x", "none_of_these"], foreign="none_of_these")
    assert gather([task], RECIPE).texts == ["a", "b", "x"]
