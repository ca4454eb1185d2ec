"""Whatever a client sends is understood, or refused with a code that is documented."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from connectors.errors import Malformed
from connectors.port import MAX_TEXT, Message, QuickReply
from connectors.rasa import render
from connectors.rasa.parse import MAX_SENDER, Pressed, Uttered, parse, payload
from connectors.rasa.senders import conversation_of

CODES = {"bad_json", "bad_frame", "no_sender", "empty_text", "too_large"}
TEXTS = st.text(st.characters(), max_size=60)  # lone surrogates too
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=8)
KEYS = st.sampled_from(["sender", "message", "metadata", "input_channel"])


def outcome(data: bytes) -> Uttered | Malformed:
    try:
        return parse(data)
    except Malformed as problem:
        return problem


def checked(data: bytes) -> Uttered | None:
    uttered = outcome(data)
    if isinstance(uttered, Malformed):
        assert uttered.code in CODES
        assert uttered.message
        return None
    assert 0 < len(uttered.sender) <= MAX_SENDER
    assert 0 < len(uttered.text) <= MAX_TEXT
    assert (uttered.sender + uttered.text).encode()
    return uttered


@given(st.binary(max_size=200))
@example(b'{"a":' * 3_000)
@example(b'{"sender":"a","sender":"b","message":"x"}')
@example(b'{"sender":' + b"1" * 5_000 + b',"message":"x"}')
def test_any_bytes(data: bytes) -> None:
    checked(data)


@given(st.dictionaries(KEYS, VALUES))
@example({"sender": 10**400, "message": "x"})
def test_any_body_that_is_nearly_right(body: dict[str, Any]) -> None:
    checked(json.dumps(body).encode())


@given(
    st.integers(1, 10**15 - 1), st.from_regex(r"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,200}", fullmatch=True)
)
def test_what_a_button_sends_is_read_back(of: int, value: str) -> None:
    uttered = checked(json.dumps({"sender": "a", "message": payload(of, value)}).encode())
    assert uttered is not None
    assert uttered.pressed == Pressed(of, value)


@given(st.text(max_size=200), st.lists(st.builds(QuickReply, TEXTS, TEXTS), max_size=3).map(tuple))
def test_nothing_but_blank_lines_is_lost_of_a_text(text: str, buttons: tuple[QuickReply, ...]) -> None:
    message = Message(7, "bot", text, datetime(2026, 1, 1, tzinfo=UTC), quick_replies=buttons)
    shown = render.messages(message, "ann")
    assert "".join("".join(m.get("text", "") for m in shown).split()) == "".join(text.split())
    assert all(m["recipient_id"] == "ann" and None not in m.values() for m in shown)
    assert all(m.get("text", "x").strip() for m in shown)
    assert sum(len(m.get("buttons", ())) for m in shown) == len(buttons)


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_conversation_is_of_one_sender_of_one_channel_under_one_key(one: str, other: str) -> None:
    named = {
        conversation_of(s, instance=i, key=k) for s in {one, other} for i in ("a", "b") for k in ("k", "l")
    }
    assert len(named) == 4 * len({one, other})
