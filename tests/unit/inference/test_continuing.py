"""What a message that goes on from another means: topics share one whole, and the answer before is among them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.decision import Candidate
from bot.inference.continuing import NONE, WEIGHTS, Going, continued, features
from retrieval.bundle import Bundle
from retrieval.types import Entry
from tests.indexed import indexed

LOST = Entry("1", "lost", "en", "How do I report a lost card?", "Call us at once.", intent="cards")
FEE = Entry("2", "fee", "en", "What does a new card cost?", "A new card costs 20 yuan.", intent="cards")
HOURS = Entry("3", "hours", "en", "When are you open?", "From 9 to 5.", intent="branch")
FEE_ZH = Entry("4", "fee", "zh", "补卡要多少钱？", "补卡收20元。", intent="cards")
ENTRIES = (LOST, FEE, HOURS, FEE_ZH)
SHARE = st.floats(0, 1)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    texts = [text for entry in ENTRIES for text in entry.texts]
    return indexed(Path(tmp_path_factory.mktemp("bundle")) / "b", ENTRIES, texts)[0]


def sure(**topics: float) -> list[Candidate]:
    found = [Candidate(e.id, e.key, e.intent, topics[e.key]) for e in ENTRIES if e.key in topics]
    return sorted(found, key=lambda one: -one.confidence)


def best(text: str, bundle: Bundle, before: str, alone: list[Candidate], together: list[Candidate]) -> str:
    return continued(Going(text, "en", before, alone, together, 0.0), bundle)[0].key


def test_what_both_readings_find_goes_before_what_one_of_them_does(bundle: Bundle) -> None:
    found = best("for a new one", bundle, "lost", sure(hours=0.5, fee=0.3), sure(fee=0.6, lost=0.3))
    assert found == "fee"


def test_the_answer_before_is_meant_again_where_it_states_what_is_asked_for(bundle: Bundle) -> None:
    alone, together = sure(hours=0.1), sure(fee=0.9, hours=0.05)
    assert best("how much is it", bundle, "fee", alone, together) == "fee"
    assert best("who decides", bundle, "fee", alone, sure(fee=0.5, hours=0.3)) != "fee"


def test_who_goes_on_to_something_else_does_not_mean_it_again(bundle: Bundle) -> None:
    together = sure(fee=0.97, lost=0.02)
    again = continued(Going("and how much abroad", "en", "fee", sure(lost=0.1), together, 0.0), bundle)
    assert "fee" not in {one.key for one in again}
    asked = continued(Going("and what does a card cost", "en", "fee", sure(fee=0.8), together, 0.0), bundle)
    assert asked[0].key == "fee"


def test_who_goes_on_to_what_that_answer_has_told_about_means_it_again(bundle: Bundle) -> None:
    alone, together = sure(hours=0.02), sure(fee=0.9, lost=0.05)
    assert best("what about a new card", bundle, "fee", alone, together) == "fee"
    assert best("what about a visa card", bundle, "fee", alone, together) != "fee"
    zh = [
        continued(Going(t, "zh", "fee", alone, together, 0.0), bundle)[0].key
        for t in ("那补卡呢？", "那存折呢")
    ]
    assert zh[0] == "fee" != zh[1]


def test_both_languages_of_a_topic_are_as_sure_as_it_is(bundle: Bundle) -> None:
    going = Going("how much", "en", "lost", sure(fee=0.5), sure(fee=0.6, lost=0.2), 0.0)
    of_fee = {one.confidence for one in continued(going, bundle) if one.key == "fee"}
    assert len(of_fee) == 1


def test_without_an_answer_before_and_without_candidates(bundle: Bundle) -> None:
    assert continued(Going("how much", "en", None, [], [], 0.0), bundle) == ()
    assert continued(Going("how much", "en", "gone", sure(fee=0.5), sure(fee=0.5), 0.0), bundle)


@given(a=SHARE, b=SHARE, c=SHARE, d=SHARE, foreign=SHARE)
def test_topics_and_none_of_them_share_one_whole(
    bundle: Bundle, a: float, b: float, c: float, d: float, foreign: float
) -> None:
    going = Going(
        "how much is it", "en", "lost", sure(lost=a, fee=b * (1 - a)), sure(hours=c, fee=d), foreign
    )
    found = continued(going, bundle)
    topics = {one.key: one.confidence for one in found}
    assert 0 <= sum(topics.values()) < 1
    assert [one.confidence for one in found] == sorted((one.confidence for one in found), reverse=True)


@given(st.floats(0, 0.99), st.floats(0, 0.99))
def test_what_looks_more_foreign_is_less_sure(bundle: Bundle, one: float, other: float) -> None:
    less, more = sorted((one, other))
    told = [
        continued(Going("for a new one", "en", "lost", sure(fee=0.5), sure(fee=0.5), f), bundle)[0].confidence
        for f in (less, more)
    ]
    assert told[0] >= told[1]


def test_features_are_one_row_a_topic(bundle: Bundle) -> None:
    going = Going("how much", "en", "lost", sure(fee=0.5), sure(lost=0.2), 0.0)
    candidates = [*going.alone, *going.together]
    of_topics, of_none = features(going, candidates, bundle)
    assert (of_topics.shape, of_none.shape) == ((2, len(WEIGHTS)), NONE.shape)
    assert np.isfinite(of_topics).all()
