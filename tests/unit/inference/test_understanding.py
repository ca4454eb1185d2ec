"""From vectors to candidates: every candidate has its hit, and a follow-up does not get the same answer again."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bot.inference.understanding import Ask, Live, in_context, needs_context, understand
from retrieval.bundle import build_bundle
from retrieval.testing import HashEncoder
from retrieval.types import Entry
from training.apply import FEATURES, Calibrator, Heads
from training.fit import fit_head

ENTRIES = tuple(
    Entry(
        f"id-{n}",
        f"topic-{n}",
        "en",
        f"How do I {verb} a card?",
        f"You {verb} a card in the app.",
        intent="cards",
    )
    for n, verb in enumerate(
        [
            "order",
            "block",
            "return",
            "renew",
            "share",
            "scan",
            "paint",
            "lend",
            "post",
            "sell",
            "fold",
            "wash",
            "cut",
        ]
    )
)
TODAY = date(2026, 11, 22)


@pytest.fixture
def live(tmp_path: Path) -> Live:
    encoder = HashEncoder()
    texts = [text for entry in ENTRIES for text in entry.texts]
    vectors = encoder.encode(texts)
    bundle = build_bundle(
        tmp_path / "bundle", ENTRIES, dict(zip(texts, vectors, strict=True)),
        encoder_fingerprint=encoder.fingerprint, revision=1,
    )  # fmt: skip
    head = fit_head(vectors, ["cards", "loans"] * len(ENTRIES))
    ones = vectors[0][: len(FEATURES)] * 0 + 1
    heads = Heads("r", head, head, Calibrator(ones * 0, ones, ones, -3.0))
    return Live("r", heads, bundle, {entry.id: entry for entry in ENTRIES})


def test_every_candidate_of_a_follow_up_has_its_hit(live: Live) -> None:
    ask = Ask(
        "and sell it?",
        "en",
        TODAY,
        "How do I order a card? and sell it?",
        leaning=True,
        answered_key="topic-0",
    )
    seen = understand(live, ask, HashEncoder().encode(ask.texts))
    assert seen.candidates
    assert {c.entry for c in seen.candidates} <= {hit.entry.id for hit in seen.hits}
    if seen.contextual:
        assert "topic-0" not in {c.key for c in seen.candidates}


def test_an_identical_question_comes_first_even_where_it_might_lean(live: Live) -> None:
    ask = Ask(
        "how do i BLOCK a card", "en", TODAY, "How do I order a card? how do i BLOCK a card", leaning=True
    )
    seen = understand(live, ask, HashEncoder().encode(ask.texts))
    assert (seen.candidates[0].key, seen.candidates[0].exact) == ("topic-1", True)


def test_a_fragment_is_read_in_context_only_where_it_says_too_little(live: Live) -> None:
    ask = Ask("how long", "en", TODAY, "How do I sell a card? how long")
    vectors = HashEncoder().encode([ask.text, ask.contextual or ""])
    assert ask.texts == ["how long"]
    plain = understand(live, ask, vectors[:1])
    assert needs_context(ask, plain)
    assert in_context(live, ask, plain, vectors[1]).contextual
    exact = Ask("How do I sell a card?", "en", TODAY, "x How do I sell a card?")
    assert not needs_context(exact, understand(live, exact, HashEncoder().encode(exact.texts)))
