"""Recipes: every method has one, and what is wrong in one's own values is named."""

from __future__ import annotations

import pytest

from training.errors import TrainingError
from training.tuning.recipes import METHODS, recipe_for


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_a_recipe(method: str) -> None:
    assert recipe_for(method).method == method
    assert recipe_for(method, {"epochs": 7}).epochs == 7
    assert recipe_for(method).blend == 1.0  # files of labels are like what is asked


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        ({"epoch": 3}, "epoch"),
        ({"rate": -1}, "rate"),
        ({"batch": 1}, "batch"),
        ({"layers": "many"}, "layers"),
        ({"rate": float("nan")}, "rate"),
        ({"precision": "fp8"}, "precision"),
        ({"blend": 0.0}, "blend"),
        ({"blend": 1.1}, "blend"),
    ],
)
def test_what_is_wrong_is_named(overrides: dict[str, object], named: str) -> None:
    with pytest.raises(TrainingError, match=f"followed: {named}:"):
        recipe_for("full", overrides)


def test_a_method_that_is_not_there() -> None:
    with pytest.raises(TrainingError, match=r"'half'.*contrastive, full, lora, adalora"):
        recipe_for("half")
