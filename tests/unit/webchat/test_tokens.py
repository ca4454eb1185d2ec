from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.webchat.tokens import Session, SessionError, Tokens

OLD, NEW = "the-old-key-of-at-least-32-characters", "the-new-key-of-at-least-32-characters"
NOW = 1_800_000_000.0
SESSION = Session("conversation", "session")


def at(seconds: float, *keys: str) -> Tokens:
    return Tokens(keys or (NEW,), clock=lambda: NOW + seconds)


def test_a_token_gives_back_its_session_and_says_when_it_expires() -> None:
    token, expires_at = at(0.7).issue(SESSION, instance="web")
    assert at(0).read(token, instance="web") == SESSION
    assert expires_at == datetime.fromtimestamp(NOW, UTC) + timedelta(days=30)


def test_a_token_lives_thirty_days() -> None:
    token, _ = at(0).issue(SESSION, instance="web")
    assert at(30 * 86_400).read(token, instance="web") == SESSION
    with pytest.raises(SessionError) as refused:
        at(30 * 86_400 + 1).read(token, instance="web")
    assert refused.value.code == "session_expired"


def test_a_clock_set_back_ends_no_session() -> None:
    token, _ = at(0).issue(SESSION, instance="web")
    assert at(-5).read(token, instance="web") == SESSION


def test_a_token_is_good_for_its_instance_only() -> None:
    token, _ = at(0).issue(SESSION, instance="web")
    with pytest.raises(SessionError) as refused:
        at(0).read(token, instance="web2")
    assert refused.value.code == "session_invalid"


def test_keys_rotate() -> None:
    old, _ = at(0, OLD).issue(SESSION, instance="web")
    both = at(0, NEW, OLD)
    assert both.read(old, instance="web") == SESSION
    renewed, _ = both.issue(SESSION, instance="web")
    assert at(0, NEW).read(renewed, instance="web") == SESSION
    with pytest.raises(SessionError):
        at(0, NEW).read(old, instance="web")


def test_a_tampered_payload_is_refused() -> None:
    one, _ = at(0).issue(SESSION, instance="web")
    other, _ = at(0).issue(Session("somebody-else", "session"), instance="web")
    body, signature = other.split(".", 1)[0], one.split(".", 1)[1]
    with pytest.raises(SessionError):
        at(0).read(f"{body}.{signature}", instance="web")


def test_sessions_cannot_be_guessed_or_confused() -> None:
    begun = [at(0).begin() for _ in range(100)]
    names = {name for session in begun for name in (session.conversation, session.id)}
    assert len(names) == 200
    assert min(map(len, names)) >= 22  # 128 bits in base64


@pytest.mark.parametrize("keys", [[], ["short"], [NEW, ""]])
def test_weak_keys_are_refused(keys: list[str]) -> None:
    with pytest.raises(ValueError, match="32 characters"):
        Tokens(keys)
