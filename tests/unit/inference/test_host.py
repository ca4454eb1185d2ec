"""What the host does with what it finds in the home."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.inference import host as hosting
from bot.inference.bundles import Knowledge
from bot.inference.host import Host
from bot.testing import FakeEncodings
from retrieval.testing import HashEncoder
from retrieval.types import Entry
from training.apply import Heads, IntentHead

OPEN = Entry("1", "open", "en", "When are you open?", "From nine to five.")
POST = Entry("2", "post", "en", "What is the postage?", "Eight yuan.")


@pytest.fixture(autouse=True)
def _no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    ones = np.ones(64, dtype=np.float32)
    head = IntentHead(("a",), ones, ones, ones[None], np.ones(1, np.float32), 1.0)
    monkeypatch.setattr(hosting, "find_release", lambda releases, lesson: Heads("heads", head, head, None))


async def indexed(home: Path, *entries: Entry) -> tuple[Entry, ...]:
    """What is live after a start with these answers, always of revision 1."""
    host = Host(home, FakeEncodings(base=HashEncoder()), examples=())
    await asyncio.to_thread(home.mkdir, exist_ok=True)
    live = await host.open(Knowledge(1, entries), progress=lambda *_: None)
    await host.close()
    return live.bundle.entries


@pytest.mark.parametrize(
    "now", [(OPEN,), (OPEN, replace(POST, answer="Nine yuan.")), (OPEN, POST, replace(POST, id="3"))]
)
async def test_an_index_that_says_otherwise_than_the_database_is_made_again(
    now: tuple[Entry, ...], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = tmp_path / "home"
    assert await indexed(home, OPEN, POST) == (OPEN, POST)
    with caplog.at_level(logging.WARNING):
        assert await indexed(home, OPEN, POST) == (OPEN, POST)
        assert "made again" not in caplog.text
        assert await indexed(home, *now) == now
    assert "the database has other answers" in caplog.text
