"""How well entities are found: on a test, or in folds, beside a plain tagger."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest

from retrieval.model_folder import locate
from tests.tiny import letters
from training.entities.judge import judge_task
from training.entities.spec import Example, KindSpec, Span
from training.entities.task import RESULT, EntityTask, Told, write_task
from training.progress import silent

CITIES, NAMES = ("rome", "oslo", "paris", "lima", "北京", "成都"), ("ann", "bo", "li", "mei")
KINDS = {"city": KindSpec(), "name": KindSpec()}


def told(city: str, name: str, line: int) -> Told:
    text = f"fly {name} to {city} now"
    at = 8 + len(name)
    spans = (Span(4, 4 + len(name), "name"), Span(at, at + len(city), "city"))
    return Told(Example(text, spans), line, "en" if city.isascii() else "zh")


EVERY = tuple(told(city, name, line) for line, (name, city) in enumerate(product(NAMES, CITIES), 1))


def result(tmp_path: Path, task: EntityTask) -> dict[str, object]:
    write_task(tmp_path, task)
    judge_task(tmp_path, tmp_path / "out", encoder=locate(tmp_path, letters(tmp_path)), report=silent)
    found: dict[str, object] = json.loads((tmp_path / "out" / RESULT).read_text(encoding="utf-8"))
    return found


def test_a_test_is_judged_beside_the_floor(tmp_path: Path) -> None:
    nobody = Told(Example("fly zoe to Atlantis", (Span(0, 3, "verb"),)), 99, "en")
    task = EntityTask(KINDS, EVERY[:14], EVERY[14:16], (*EVERY[16:22], nobody))
    found = result(tmp_path, task)
    figures, floor = found["figures"], found["floor"]
    assert isinstance(figures, dict)
    assert isinstance(floor, dict)
    assert (figures["texts"], figures["entities"]) == (7, 13)
    assert 0.5 < figures["micro_f1"] < 1
    assert floor["micro_f1"] < figures["micro_f1"]
    assert figures["macro_f1"] < figures["micro_f1"]  # a kind that nobody taught
    kinds = found["kinds"]
    assert isinstance(kinds, list)
    assert (kinds[0]["kind"], kinds[0]["f1"], kinds[0]["there"]) == ("verb", 0.0, 1)
    worst = found["worst"]
    assert isinstance(worst, list)
    assert (worst[0]["line"], worst[0]["missed"]) == (99, [{"kind": "verb", "text": "fly"}])
    bound = found["micro_f1"]
    assert isinstance(bound, dict)
    assert bound["low"] < bound["value"] < bound["high"]
    assert isinstance(found["languages"], dict)
    assert set(found["languages"]) == {"en", "zh"}
    assert found["folds"] == 0


def test_without_a_test_every_example_is_judged_by_the_others(tmp_path: Path) -> None:
    again = (*EVERY, EVERY[0])  # the same text stays on one side
    found = result(tmp_path, EntityTask(KINDS, again))
    figures = found["figures"]
    assert isinstance(figures, dict)
    assert (figures["texts"], found["folds"]) == (25, 5)
    assert figures["micro_f1"] == pytest.approx(1.0, abs=0.1)
