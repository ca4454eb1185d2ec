"""From vectors to candidates: every candidate has its hit, and a follow-up does not get the same answer again."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from bot.domain.decision import Candidate, IntentScore
from bot.inference.reader import Reader
from bot.inference.understanding import (
    Ask,
    Live,
    Understanding,
    _as_typed,
    _continued,
    _needs_context,
)
from retrieval.bundle import Bundle, build_bundle
from retrieval.embed import Tokens
from retrieval.slips.mender import Mender, Read
from retrieval.testing import HashEncoder
from retrieval.types import Entry
from tests.indexed import indexed
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
NONE = np.array([0, 0, 5], dtype=np.float32)
"""What speaks for no candidate: the same of every message."""


@pytest.fixture
def live(tmp_path: Path) -> Live:
    texts = [text for entry in ENTRIES for text in entry.texts]
    bundle, vectors = indexed(tmp_path / "bundle", ENTRIES, texts)
    head = fit_head(vectors, ["cards", "loans"] * len(ENTRIES))
    ones = vectors[0][: len(FEATURES)] * 0 + 1
    heads = Heads("r", head, head, Calibrator(ones * 0, ones, ones, NONE))
    return Live.of("r", Reader(HashEncoder()), heads, bundle)


def seen_of(live: Live, ask: Ask) -> Understanding:
    texts = [ask.text] if ask.previous is None else [ask.text, ask.previous]
    return live.understand([ask], [HashEncoder().encode(texts)])[0]


def bundle_of(live: Live, *entries: Entry) -> Bundle:
    texts = [text for entry in entries for text in entry.texts]
    vectors = dict(zip(texts, HashEncoder().encode(texts), strict=True))
    with tempfile.TemporaryDirectory() as place:
        return build_bundle(
            Path(place) / "b", entries, vectors,
            encoder_fingerprint=live.bundle.encoder_fingerprint, revision=2,
        )  # fmt: skip


def test_every_candidate_of_a_follow_up_has_its_hit(live: Live) -> None:
    ask = Ask("and sell it?", "en", TODAY, "How do I order a card?", leaning=True, answered_key="topic-0")
    seen = seen_of(live, ask)
    assert seen.candidates
    assert {c.entry for c in seen.candidates} <= {hit.entry.id for hit in seen.hits}
    if seen.contextual:
        assert "topic-0" not in {c.key for c in seen.candidates}


def test_an_identical_question_comes_first_even_where_it_might_lean(live: Live) -> None:
    ask = Ask("how do i BLOCK a card", "en", TODAY, "How do I order a card?", leaning=True)
    seen = seen_of(live, ask)
    assert (seen.candidates[0].key, seen.candidates[0].exact) == ("topic-1", True)


def test_a_short_message_is_read_in_context_only_where_it_is_not_clear(live: Live) -> None:
    assert seen_of(live, Ask("how long", "en", TODAY, "How do I sell a card?")).contextual
    assert not seen_of(live, Ask("how long", "en", TODAY)).contextual
    assert not seen_of(live, Ask("How do I sell a card?", "en", TODAY, "x")).contextual


def test_messages_of_one_batch_are_understood_as_each_alone(live: Live) -> None:
    texts = ["how do i sell a card", "How do I BLOCK a card?", "and wash it?", "weather"]
    asks = [Ask(t, "en", TODAY, "How do I cut a card?", leaning=t.startswith("and")) for t in texts]
    vectors = [HashEncoder().encode([ask.text, ask.previous or ""]) for ask in asks]
    for ask, seen in zip(asks, live.understand(asks, vectors), strict=True):
        alone = seen_of(live, ask)
        assert [c.entry for c in seen.candidates] == [c.entry for c in alone.candidates]
        assert [c.confidence for c in seen.candidates] == pytest.approx(
            [c.confidence for c in alone.candidates], abs=1e-4
        )
        assert seen.contextual == alone.contextual


def test_slips_are_mended_but_in_what_is_stored_word_for_word(live: Live) -> None:
    mending = replace(live, mender=Mender.of(text for entry in ENTRIES for text in entry.texts))
    read = mending.read("how do i bolck a card")
    assert read is not None
    assert read.text == "how do i block a card"
    assert live.read("how do i bolck a card") is None
    stored = replace(ENTRIES[0], question="How do I bolck a card?")
    assert mending.read(ENTRIES[0].question) is None
    other = replace(mending, bundle=bundle_of(live, stored))
    assert other.read("how do I bolck a card") is None


def test_a_mended_message_is_answered_as_the_message_itself(live: Live) -> None:
    mending = replace(live, mender=Mender.of(text for entry in ENTRIES for text in entry.texts))
    typed = "How do I  bolck a card"
    ask = Ask(typed, "en", TODAY, read=mending.read(typed))
    seen = mending.understand([ask], [HashEncoder().encode([ask.said])])[0]
    assert (seen.read, seen.candidates[0].key, seen.candidates[0].exact) == (ask.said, "topic-1", True)


def test_tokens_of_what_was_read_stand_where_they_were_typed() -> None:
    typed = "pay ｍｙ bil of 30 now"
    read = Read("pay my bill of 30 now", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, *range(10, 20)])
    places = np.array([[0, 3], [4, 6], [7, 11], [15, 17]], dtype=np.int32)
    told = _as_typed(Tokens(places, np.zeros((4, 1), np.float32)), read)
    assert told is not None
    assert [typed[start:end] for start, end in told.places] == ["pay", "ｍｙ", "bil", "30"]


def sure(out_of_scope: float = 0.0, **confidences: float) -> Understanding:
    found = sorted(confidences.items(), key=lambda pair: -pair[1])
    candidates = tuple(Candidate(key, key, None, confidence) for key, confidence in found)
    return Understanding((), candidates, (), contextual=False, out_of_scope=out_of_scope)


LOST = Ask("I lost my card", "en", TODAY, "How do I raise my limit?", answered_key="raise")


def test_what_is_not_clear_by_itself_is_read_with_the_question_before() -> None:
    assert not _needs_context(LOST, sure(debit=0.95))
    assert _needs_context(LOST, sure(debit=0.55, credit=0.4))
    assert _needs_context(replace(LOST, leaning=True), sure(debit=0.95))
    assert not _needs_context(replace(LOST, previous=None), sure(debit=0.3))


@pytest.mark.parametrize(("leaning", "read_on"), [(False, False), (True, True)])
def test_what_is_foreign_continues_nothing_unless_it_says_so(leaning: bool, read_on: bool) -> None:
    ask = Ask("recommend a film", "en", TODAY, "How long does a transfer take?", leaning=leaning)
    assert _needs_context(ask, sure(0.8, transfer=0.1)) is read_on


def test_what_is_said_to_be_polite_continues_nothing() -> None:
    thanks = replace(sure(debit=0.1), intents=(IntentScore("thanks", 0.97),))
    assert not _needs_context(replace(LOST, leaning=True), thanks)
    unsure = replace(thanks, intents=(IntentScore("capabilities", 0.83),))
    assert _needs_context(LOST, unsure)


@pytest.mark.parametrize(("social", "contextual"), [(0.3, True), (0.89, False)])
def test_a_greeting_stays_one_unless_something_else_is_likelier(
    live: Live, social: float, contextual: bool
) -> None:
    ask = Ask("how long", "en", TODAY, "How do I sell a card?")
    plain = replace(sure(sell=0.6), intents=(IntentScore("greet", social),))
    joined = replace(sure(sell=0.9), contextual=True)
    assert _continued(ask, plain, joined, live.bundle).contextual is contextual


@pytest.mark.parametrize(
    ("leaning", "alone", "contextual"), [(False, 0.7, False), (False, 0.4, True), (True, 0.7, True)]
)
def test_what_is_likely_by_itself_is_not_unknown_for_what_was_said_before(
    live: Live, leaning: bool, alone: float, contextual: bool
) -> None:
    """As a foreign message together with the one before it, which nobody knows an answer to."""
    ask = replace(LOST, leaning=leaning, answered_key=None)
    plain = replace(sure(0.9), candidates=(Candidate("id-1", "topic-1", "cards", alone),))
    found = _continued(ask, plain, sure(), live.bundle)
    assert found.contextual is contextual
    assert (found.best < alone) is contextual
