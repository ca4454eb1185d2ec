"""Tokens, limits, origins and the timeline under arbitrary input."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from connectors.limits import RateLimit
from connectors.origins import Origins, Peers
from connectors.port import Frame, Message
from connectors.webchat.timeline import Timeline
from connectors.webchat.tokens import Session, SessionError, Tokens

AT = datetime(2026, 1, 1, tzinfo=UTC)
TOKENS = Tokens(["a-key-for-tests-of-more-than-32-characters"])
SESSION = Session("conversation", "session")
TOKEN, _ = TOKENS.issue(SESSION, instance="web")
ORIGINS = Origins(["https://shop.example"], allow_missing=False)


def outcome(token: str) -> Session | str:
    try:
        return TOKENS.read(token, instance="web")
    except SessionError as problem:
        return problem.code


@given(st.text(st.characters(), max_size=200))
def test_no_text_is_a_token(text: str) -> None:
    assert outcome(text) == "session_invalid"


@given(st.integers(0, len(TOKEN) - 1), st.characters())
def test_a_changed_token_never_names_another_session(place: int, character: str) -> None:
    changed = TOKEN[:place] + character + TOKEN[place + 1 :]
    assert outcome(changed) in (SESSION, "session_invalid")  # base64 has spare bits


@given(st.text(st.characters(), max_size=80), st.text(st.characters(), max_size=80))
def test_no_header_breaks_the_handshake(one: str, other: str) -> None:
    host = one.lower()
    if ORIGINS.admits(one, host=other):
        assert one.lower() == "https://shop.example" or other.lower() in host
    Peers(["10.0.0.0/8"]).of("10.0.0.1", forwarded=[one, other])


@given(st.integers(1, 600), st.integers(1, 20), st.lists(st.floats(0, 30), max_size=200))
def test_no_window_lets_more_through_than_rate_and_burst(
    per_minute: int, burst: int, gaps: list[float]
) -> None:
    now = 0.0
    limit = RateLimit(per_minute, burst=burst, clock=lambda: now)
    passed: list[float] = []
    for gap in gaps:
        now += gap
        if not limit.wait("a"):
            limit.spend("a")
            passed.append(now)
    for i, start in enumerate(passed):
        for count, end in enumerate(passed[i:], start=1):
            assert count <= burst + (end - start) * per_minute / 60 + 1e-3


TURNS = st.sampled_from(["a", "b", "c"])
ATTEMPTS = st.integers(1, 3)
PROVISIONAL = st.builds(
    lambda kind, turn, attempt: Frame(kind, "c", turn=turn, attempt=attempt, text="x"),
    st.sampled_from(["delta", "delta", "withdraw"]),
    TURNS,
    ATTEMPTS,
)
FINALS = st.builds(
    lambda seq, turn, attempt: Frame(
        "final", "c", seq=seq, message=Message(seq, "bot", "x", AT, turn=turn, attempt=attempt)
    ),
    st.integers(1, 12),
    TURNS,
    ATTEMPTS,
)
SIGNS = st.sampled_from([Frame("typing", "c"), Frame("typing", "c", on=False), Frame("read", "c")])
BREAK = st.just(None)


@given(st.lists(PROVISIONAL | FINALS | SIGNS | BREAK, max_size=60), st.integers(0, 5))
def test_a_page_is_shown_each_message_once_and_left_with_no_stale_text(
    frames: list[Frame | None], last: int
) -> None:
    timeline, shown = Timeline(last), Shown(last)
    for frame in frames:
        if frame is None:
            for taken in timeline.interrupted("c"):
                shown.take(taken)
            assert shown.provisional == {}
            assert not shown.typing
        elif timeline.admits(frame):
            shown.take(frame)
        assert timeline.last == shown.last


class Shown:
    """A page that believes the protocol."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.provisional: dict[tuple[str, int], str] = {}
        self.finished: dict[str, int] = {}
        self.typing = False

    def take(self, frame: Frame) -> None:
        key = (frame.turn, frame.attempt)
        match frame.kind:
            case "final":
                assert frame.message is not None
                assert frame.message.seq > self.last
                self.last = frame.message.seq
                self.finished[frame.message.turn or ""] = frame.message.attempt
                self.provisional = {k: v for k, v in self.provisional.items() if k[0] != frame.message.turn}
            case "delta":
                assert frame.attempt > self.finished.get(frame.turn, 0)
                self.provisional[key] = self.provisional.get(key, "") + frame.text
            case "withdraw":
                del self.provisional[key]
            case "typing":
                self.typing = frame.on
            case _:
                pass
