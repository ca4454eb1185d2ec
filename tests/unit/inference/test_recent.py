"""The question before is encoded once: when it comes, or after a restart along with what leans on it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from bot.inference.bundles import Knowledge
from bot.inference.host import Host
from bot.inference.recent import Recent
from bot.inference.understanding import Ask
from bot.testing import FakeEncodings
from retrieval.embed import Vectors
from retrieval.testing import HashEncoder
from retrieval.types import Entry

TODAY = date(2026, 11, 22)
ENTRIES = tuple(
    Entry(f"id-{n}", f"topic-{n}", "en", f"How do I {verb} a card?", f"You {verb} it in the app.")
    for n, verb in enumerate(("order", "block", "sell"))
)


class Listening(HashEncoder):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.heard += texts
        return super().encode(texts)


async def test_a_message_costs_one_text_and_after_a_restart_the_one_before_as_well(tmp_path: Path) -> None:
    question, on = "Something about my card", "and how long does that take?"
    for spoken, expected in (([question, on], [question, on]), ([on], [on, question])):
        encoder = Listening()
        host = Host(tmp_path, FakeEncodings(base=encoder), examples=())
        live = await host.open(Knowledge(1, ENTRIES), progress=lambda *_: None)
        encoder.heard.clear()
        for text in spoken:
            ask = Ask(text, "en", TODAY, question if text == on else None, leaning=text == on)
            seen = await host.understand(live, ask, deadline=time.monotonic() + 60)
        assert encoder.heard == expected
        assert seen.contextual
        await host.close()


def test_what_was_said_longest_ago_is_forgotten_first() -> None:
    recent = Recent(kept=2)
    for n, text in enumerate("abca"):
        recent.put(text, np.full(3, n, dtype=np.float32))
    assert recent.get("b") is None
    assert (found := recent.get("a")) is not None
    assert found.tolist() == [3, 3, 3]
    assert recent.get("c") is not None


def test_a_kept_vector_is_not_a_window_into_its_batch() -> None:
    recent, batch = Recent(), np.ones((2, 3), dtype=np.float32)
    recent.put("a", batch[0])
    batch[:] = 0
    assert (found := recent.get("a")) is not None
    assert found.all()
