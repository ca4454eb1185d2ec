from __future__ import annotations

import pytest

from connectors.errors import Overloaded
from connectors.limits import FRAMES_BURST, Limits, RateLimit
from connectors.webchat.options import WebChatOptions


class Hand:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def took(limit: RateLimit, key: str) -> bool:
    if limit.wait(key):
        return False
    limit.spend(key)
    return True


def test_a_burst_then_a_steady_rate() -> None:
    clock = Hand()
    limit = RateLimit(30, burst=8, clock=clock)
    assert [took(limit, "a") for _ in range(10)] == [True] * 8 + [False] * 2
    assert limit.wait("a") == pytest.approx(2.0)
    clock.now += 2.0
    assert [took(limit, "a") for _ in range(2)] == [True, False]
    clock.now += 60.0
    assert [took(limit, "a") for _ in range(9)] == [True] * 8 + [False]


def test_over_an_hour_it_is_the_rate_and_the_burst() -> None:
    clock = Hand()
    limit = RateLimit(30, burst=8, clock=clock)
    passed = 0
    for _ in range(36_000):
        passed += took(limit, "a")
        clock.now += 0.1
    assert passed == pytest.approx(30 * 60 + 7, abs=1)


def test_keys_are_apart_and_the_longest_silent_is_forgotten() -> None:
    limit = RateLimit(30, burst=1, keys=2, clock=Hand())
    assert all(took(limit, key) for key in ("a", "b"))
    assert not took(limit, "a")
    assert took(limit, "c")
    assert len(limit) == 2
    assert took(limit, "a")


def test_nought_is_no_limit_and_keeps_nothing() -> None:
    limit = RateLimit(0, burst=1, clock=Hand())
    assert all(took(limit, "a") for _ in range(1_000))
    assert len(limit) == 0


def test_a_refusal_costs_neither_the_session_nor_the_address() -> None:
    clock = Hand()
    limits = Limits(WebChatOptions(per_minute=60, burst=1, peer_per_minute=60, peer_burst=2), clock=clock)
    limits.take("s1", peer="p")
    for _ in range(50):
        with pytest.raises(Overloaded) as refused:
            limits.take("s1", peer="p")
        assert refused.value.code == "rate_limited"
        assert refused.value.retry_after == pytest.approx(1.0)
    limits.take("s2", peer="p")
    with pytest.raises(Overloaded):
        limits.take("s3", peer="p")
    limits.take("s3", peer="q")


def test_a_flood_of_frames_is_slowed_down() -> None:
    limits = Limits(WebChatOptions(), clock=Hand())
    assert not any(limits.pause("a") for _ in range(FRAMES_BURST - 1))
    assert limits.pause("a") > 0
    assert not limits.pause("b")
