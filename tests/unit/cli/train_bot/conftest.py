"""The small bot, in a place of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tiny import letters
from tests.unit.cli.train_bot.small import (
    BOT,
    INTENTS,
    ROWS,
    in_process,
    use,
)


@pytest.fixture(autouse=True)
def _place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    monkeypatch.setenv("KEFU_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KEFU_ENCODER", letters(tmp_path / "cache"))
    folder = tmp_path / "shop"
    (folder / "knowledge").mkdir(parents=True)
    (folder / "bot.yml").write_text(BOT, "utf-8")
    (folder / "intents.yml").write_text(INTENTS, "utf-8")
    rows = (
        {
            "id": key,
            "lang": "en",
            "question": question,
            "alternatives": other,
            "answer": f"About {key}.",
            "intent": None,
        }
        for key, question, other in ROWS
    )
    (folder / "knowledge" / "faq.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    monkeypatch.chdir(tmp_path)
    if "real_children" not in request.fixturenames:
        use(monkeypatch, in_process)


@pytest.fixture
def real_children() -> None:
    """As it is run: each costs seconds."""
