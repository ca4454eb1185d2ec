"""The census of a folder, on one small enough to count by hand."""

from __future__ import annotations

import json
from pathlib import Path

from bot.definition import load
from bot.definition.report import census
from tests.unit.definition.folders import folder, knowledge

INTENTS = """
intents:
  lost: {examples: {en: [a, b, c], zh: [甲]}}
  fees: {examples: {en: [d]}}
  greet: {examples: {en: [hello], zh: [你好, 您好]}}
"""


def row(**more: str) -> str:
    return json.dumps({"answer": "A.", **more}) + "\n"


def test_counts_links_and_what_to_look_at(tmp_path: Path) -> None:
    folder(tmp_path, intents=INTENTS)
    knowledge(
        tmp_path,
        "a.jsonl",
        row(id="1", question="Where?", intent="lost")
        + row(id="1", question="在哪里？")
        + row(id="2", question="where")
        + row(id="3", question="When?"),
    )
    found = census(load(tmp_path))
    assert found.examples == {
        "zh": {"lost": 1, "fees": 0, "greet": 2},
        "en": {"lost": 3, "fees": 1, "greet": 1},
    }
    assert found.intents_with(2) == {"zh": 1, "en": 1}
    assert (found.pairs, found.topics, found.linked) == ({"en": 3, "zh": 1}, 3, 1)
    assert found.ambiguous == ("where",)
    assert found.unanswered == ("fees",)
