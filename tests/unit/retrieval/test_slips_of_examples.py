"""The texts of the example bots' tests, which nobody mistyped, are read as they stand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.app import load_definition
from retrieval.slips.mender import Mender

EXAMPLES = Path(__file__).parents[3] / "examples"
TESTS = ("questions", "negation", "dialogues", "pairs")
"""Files of which a bot has some."""


@pytest.mark.parametrize("name", ["bank", "shop"])
def test_no_question_of_an_example_is_changed(name: str) -> None:
    bot = load_definition(EXAMPLES / name)
    texts = [text for row in bot.knowledge for text in row.entry.texts]
    texts += [text for intent in bot.intents.values() for some in intent.examples.values() for text in some]
    mender = Mender.of(texts)
    asked = [text for file in TESTS for text in _asked(EXAMPLES / name / "tests" / f"{file}.jsonl")]
    assert len(asked) > 100
    assert [text for text in asked if mender.read(text)] == []


def _asked(path: Path) -> list[str]:
    if not path.exists():
        return []
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    said = [row[key] for row in rows for key in ("text", "negated") if key in row]
    return said + [turn for row in rows for turn in row.get("turns", [])]
