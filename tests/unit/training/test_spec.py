"""Specs of a training job: read as they are written, and what nobody understands is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from training.spec import Search, Spec, SpecError, parse_spec, read_spec, write_spec


def test_json_and_yaml_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"method": "lora", "seed": 3, "search": {"minutes": 2.5}}')
    (tmp_path / "a.yml").write_text("method: lora\nseed: 3\nsearch:\n  minutes: 2.5\n")
    found = [read_spec(tmp_path / name) for name in ("a.json", "a.yml")]
    assert found[0] == found[1] == Spec(method="lora", seed=3, search=Search(minutes=2.5))
    assert found[0].hash == found[1].hash


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    spec = Spec(method="full", tasks={"intent": 1.0, "retrieval": 0.5}, recipe={"epochs": 3})
    write_spec(tmp_path / "spec.json", spec)
    again = read_spec(tmp_path / "spec.json")
    assert (again, again.hash) == (spec, spec.hash)


def test_what_is_said_beside_the_recipe_joins_it() -> None:
    assert Spec(seed=2, patience=0).overrides == {"seed": 2, "patience": 0}
    assert Spec(patience=3, recipe={"patience": 1}).overrides == {"seed": 0, "patience": 1}


def test_copies_decide_the_outcome_and_no_copies_are_as_before() -> None:
    asked = parse_spec({"augment": {"changes": ["typo"], "copies": 2}})
    assert asked.hash != Spec().hash
    assert asked.augment is not None
    assert asked.augment.changes == ("typo",)


def test_how_often_it_is_kept_decides_nothing() -> None:
    assert Spec(checkpoint_seconds=1).hash == Spec().hash
    assert Spec(seed=1).hash != Spec().hash
    assert (
        Spec(method="full", learn=0.5).hash != Spec(method="full", learn=1).hash == Spec(method="full").hash
    )


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"metod": "full"}, "nobody knows `metod`: is `method` meant?"),
        ({"x": 1}, "nobody knows `x`: known are method, seed,"),
        ({"search": {"minuts": 1}}, "nobody knows `search.minuts`: is `minutes` meant?"),
        ({"augment": {"change": ["typo"]}}, "nobody knows `augment.change`: is `changes` meant?"),
        ({"augment": {"changes": ["typos"]}}, "nobody knows the change `typos`: is `typo` meant?"),
        ({"augment": {"back_translation": {"ur": "http://x"}}}, "is `url` meant?"),
        ({"augment": {}, "refit": True}, "`refit` does not go with `augment`"),
        ({"learn": 0.5}, "`learn` is for methods that tune the encoder"),
        ({"method": "full", "learn": 0}, "`learn`: input should be greater than 0"),
        ({"method": "magic"}, "`method`: input should be 'head', 'contrastive', 'full', 'lora' or 'adalora'"),
        ({"seed": "1"}, "`seed`: input should be a valid integer"),
        ({"search": {"minutes": 0}}, "`search.minutes`: input should be greater than 0"),
        ({"tasks": {"intents": 1}}, "`tasks.intents"),
        ({"int8_tolerance": -1, "seed": -1}, "`seed`: input should be greater than or equal to 0; `int8_tol"),
        ({"recipe": {1: float("nan")}}, "the spec: "),
    ],
)
def test_each_key_that_is_wrong_is_named(body: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(body)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["{", "[]", "3", "\xff", ""])
def test_a_file_that_is_no_spec_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(text, encoding="latin-1")
    with pytest.raises(SpecError, match=r"s\.json"):
        read_spec(tmp_path / "s.json")
    with pytest.raises(SpecError, match=r"missing\.yml"):
        read_spec(tmp_path / "missing.yml")
