"""A reranker weighs candidates anew where it is not clear which is meant, in time, and makes the bot no surer."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.decision import Candidate, IntentScore
from bot.errors import InferenceError
from bot.inference.host import Host
from bot.inference.reranker import open_reranker
from bot.inference.rereading import MAX_WAITING, MOST, SHARE, Rereader, in_doubt, reweighed
from bot.inference.understanding import Ask, Live, Understanding
from bot.testing import FakeEncodings
from retrieval.errors import RerankerError
from retrieval.rerank.port import Scores
from retrieval.testing import HashEncoder, WordReranker
from retrieval.types import Entry, Hit
from tests.tiny import letters_cross_encoder

FREE = cast(Live, SimpleNamespace(promised=None))
PROMISED = cast(Live, SimpleNamespace(promised=object()))
FEE = Entry("1", "fee", "en", "What does a card cost?", "A new card costs ten yuan.")
TIME = Entry("2", "time", "en", "How long does a card take?", "Delivery takes three working days.")
ASK = Ask("how many working days for delivery", "en", date(2026, 11, 26))


def seen(first: float = 0.4, second: float = 0.3, **changed: Any) -> Understanding:
    hits = tuple(Hit(entry, 1.0, 0.9, 1.0, entry.question) for entry in (FEE, TIME))
    candidates = tuple(
        Candidate(entry.id, entry.key, None, sure) for entry, sure in ((FEE, first), (TIME, second))
    )
    return replace(Understanding((IntentScore("cards", 0.9),), candidates, hits, False), **changed)


class Held(WordReranker):
    """Answers when it is let go."""

    def __init__(self) -> None:
        self.gate, self.asked = threading.Event(), 0

    def score(self, question: str, passages: Sequence[str]) -> Scores:
        self.asked += 1
        self.gate.wait(10)
        return super().score(question, passages)


class Broken(WordReranker):
    def score(self, question: str, passages: Sequence[str]) -> Scores:
        raise RerankerError("out of memory")


def soon() -> float:
    return time.monotonic() + 60


@pytest.fixture
async def words() -> AsyncIterator[Rereader]:
    rereader = Rereader(WordReranker())
    yield rereader
    await rereader.close()


async def test_what_answers_comes_first_and_is_said_to_be_reranked(words: Rereader) -> None:
    found = await words.reread(FREE, ASK, seen(), deadline=soon())
    assert found.reranked
    assert [candidate.entry for candidate in found.candidates] == ["2", "1"]
    assert found.known == pytest.approx(0.7)
    assert found.candidates[0].confidence > 0.5


@pytest.mark.parametrize(
    "clear",
    [
        seen(0.95),
        seen(0.03, 0.01),
        replace(seen(), candidates=seen().candidates[:1]),
        replace(seen(), candidates=()),
        replace(seen(), candidates=(replace(seen().candidates[0], exact=True), seen().candidates[1])),
        replace(seen(), intents=(IntentScore("thanks", 0.95),)),
    ],
    ids=["sure", "lost", "alone", "nothing", "identical", "social"],
)
async def test_what_is_clear_is_not_looked_at_again(clear: Understanding, words: Rereader) -> None:
    assert not in_doubt(clear)
    assert await words.reread(FREE, ASK, clear, deadline=soon()) is clear


async def test_the_host_asks_it_after_its_reader(tmp_path: Path) -> None:
    class Understands:
        async def understand(self, live: Live, ask: Ask, *, deadline: float) -> Understanding:
            return seen()

    live = cast(Live, SimpleNamespace(promised=None, reader=Understands()))
    for reranker, first in ((None, "1"), (WordReranker(), "2")):
        host = Host(tmp_path, FakeEncodings(base=HashEncoder()), examples=(), reranker=reranker)
        found = await host.understand(live, ASK, deadline=soon())
        assert (found.candidates[0].entry, found.reranked) == (first, reranker is not None)
        await host.close()


async def test_a_reranker_is_made_once_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    source = str(letters_cross_encoder(tmp_path / "cross"))
    told: list[str] = []
    for _ in range(2):
        opened = await open_reranker(tmp_path, source, progress=lambda text, done, total: told.append(text))
        assert opened.score("a", ["b", "c"]).shape == (2,)
    assert told.count("Making the reranker") == 1
    with pytest.raises(InferenceError, match="cross-encoder"):
        await open_reranker(tmp_path, str(tmp_path / "nothing"), progress=lambda *_: None)


async def test_a_promise_was_learned_without_it_and_is_kept_without_it(words: Rereader) -> None:
    doubtful = seen()
    assert in_doubt(doubtful)
    assert await words.reread(PROMISED, ASK, doubtful, deadline=soon()) is doubtful


async def test_a_follow_up_is_read_with_the_question_before(words: Rereader) -> None:
    leaning = replace(ASK, text="and for mine", previous=ASK.text)
    alone = await words.reread(FREE, leaning, seen(), deadline=soon())
    assert alone.candidates[0].entry == "1"
    both = await words.reread(FREE, leaning, replace(seen(), contextual=True), deadline=soon())
    assert both.candidates[0].entry == "2"


async def test_what_comes_too_late_or_fails_leaves_the_first_ranking(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Rereader(Broken())
    doubtful = seen()
    assert await broken.reread(FREE, ASK, doubtful, deadline=soon()) is doubtful
    assert "out of memory" in caplog.text
    await broken.close()
    monkeypatch.setattr("bot.inference.rereading.PATIENCE_S", 0.05)
    slow = Held()
    rereader = Rereader(slow)
    assert await rereader.reread(FREE, ASK, doubtful, deadline=soon()) is doubtful
    # The second one's time is over before its turn comes: the model is not asked.
    assert await rereader.reread(FREE, ASK, doubtful, deadline=soon()) is doubtful
    slow.gate.set()
    await rereader.close()
    assert slow.asked == 1


async def test_no_more_than_so_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.inference.rereading.PATIENCE_S", 0.05)
    slow, doubtful = Held(), seen()
    rereader = Rereader(slow)
    for _ in range(2):  # both time out; the one that runs still counts
        await rereader.reread(FREE, ASK, doubtful, deadline=soon())
    rereader._waiting = MAX_WAITING
    began = time.monotonic()
    assert await rereader.reread(FREE, ASK, doubtful, deadline=soon()) is doubtful
    assert time.monotonic() - began < 0.05
    slow.gate.set()
    await rereader.close()


confidences = st.lists(st.floats(0.001, 0.999), min_size=1, max_size=8)


@given(confidences, st.lists(st.floats(-50, 50), min_size=8, max_size=8), st.integers(1, 8))
def test_candidates_share_what_they_had(sure: list[float], scores: list[float], topics: int) -> None:
    candidates = [Candidate(str(n), f"k{n % topics}", None, one) for n, one in enumerate(sure)]
    found = reweighed(candidates, {str(n): score for n, score in enumerate(scores)})
    assert {one.entry for one in found} == {one.entry for one in candidates}
    assert [one.confidence for one in found] == sorted((one.confidence for one in found), reverse=True)
    before, after = _topics(candidates), _topics(found)
    assert sum(after.values()) == pytest.approx(min(sum(before.values()), 1.0))
    assert max(after.values()) <= 1.0 + 1e-9


def _topics(candidates: Sequence[Candidate]) -> dict[str, float]:
    best: dict[str, float] = {}
    for one in candidates:
        best[one.key] = max(best.get(one.key, 0.0), one.confidence)
    return best


def test_equal_scores_change_nothing_and_a_larger_one_counts_by_its_share() -> None:
    candidates = seen().candidates
    assert reweighed(candidates, {"1": 3.0, "2": 3.0}) == candidates
    first, other = reweighed(candidates, {"1": 1.0, "2": 0.0})
    assert np.log(first.confidence / other.confidence) == pytest.approx(np.log(0.4 / 0.3) + SHARE)
    far = reweighed(candidates, {"1": 1e9, "2": -1e9})
    assert np.log(far[0].confidence / far[1].confidence) == pytest.approx(
        np.log(0.4 / 0.3) + 2 * SHARE * MOST
    )
