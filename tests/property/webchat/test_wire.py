"""Whatever comes in, a frame or a documented error comes out; whatever goes out is one JSON object."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from connectors.errors import Malformed
from connectors.port import MAX_TEXT, Citation, Message, QuickReply
from connectors.reading import MAX_SEQ
from connectors.webchat import render
from connectors.webchat.frames import Ack, Choose, ClientFrame, Hello, Ping, Rate, Say
from connectors.webchat.parse import parse

CODES = {"bad_json", "bad_frame", "unknown_type", "too_large", "empty_text"}
ANY_TEXT = st.text(st.characters(), max_size=80)  # lone surrogates too
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | ANY_TEXT
    | st.sampled_from([1, "up", "zh", "a-1"])
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner), max_leaves=8)
KINDS = st.sampled_from(["hello", "message", "choice", "feedback", "ack", "ping", "pong", "welcome"])
KEYS = st.sampled_from(["v", "token", "last_seq", "locale", "id", "text", "of", "value", "vote", "seq"])
NEARLY = st.builds(
    lambda kind, keys: {"type": kind, **keys}, KINDS, st.dictionaries(KEYS, VALUES, max_size=8)
)


def outcome(data: bytes) -> ClientFrame | Malformed:
    try:
        return parse(data)
    except Malformed as problem:
        return problem


def checked(data: bytes) -> ClientFrame | Malformed:
    frame = outcome(data)
    match frame:
        case Malformed(code=code, message=message):
            assert code in CODES
            assert message
        case Say(id=ref, text=text):
            assert 0 < len(ref) <= 64
            assert 0 < len(text) <= MAX_TEXT
            assert text.encode("utf-8")
            assert {c for c in text if unicodedata.category(c) == "Cc"} <= {"\n", "\t"}
        case Choose(of=number) | Rate(of=number) | Ack(seq=number) | Hello(last_seq=number):
            assert type(number) is int
            assert 0 <= number <= MAX_SEQ
        case Ping():
            pass
    return frame


@given(st.binary(max_size=300))
@example(b"[" * 16_384)
@example(b'{"a":' * 3_000)
@example(b'{"type":"ack","seq":' + b"1" * 16_000 + b"}")
@example(b'{"type":"ack","seq":1e999}')
@example(b"\xef\xbb\xbf{}")
@example(b'{"type":"ping"}'.decode().encode("utf-16"))
@example(b"x" * 20_000)
def test_any_bytes(data: bytes) -> None:
    checked(data)


@given(VALUES)
def test_any_json_value(value: Any) -> None:
    checked(json.dumps(value).encode())


@given(NEARLY)
def test_any_frame_that_is_nearly_right(frame: dict[str, Any]) -> None:
    checked(json.dumps(frame).encode())


@given(st.text(max_size=MAX_TEXT), st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True))
@example("😀" * MAX_TEXT, "a")
def test_a_text_comes_through_whole_or_is_refused_for_its_emptiness(text: str, ref: str) -> None:
    frame = json.dumps({"type": "message", "id": ref, "text": text}, ensure_ascii=False).encode()
    said = checked(frame)
    visible = [c for c in text if unicodedata.category(c) not in ("Zs", "Zl", "Zp", "Cc", "Cf")]
    if isinstance(said, Say):
        assert said == Say(ref, "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc"))
    else:
        assert isinstance(said, Malformed)
        assert (said.code, said.ref) == ("empty_text", ref)
    assert isinstance(said, Say) is bool(visible)


MESSAGES = st.builds(
    Message,
    seq=st.integers(1, MAX_SEQ),
    role=st.sampled_from(["customer", "bot", "agent", "system"]),
    text=ANY_TEXT,
    at=st.datetimes(timezones=st.just(UTC), min_value=datetime(1990, 1, 1)),  # noqa: DTZ001
    external_id=st.none() | ANY_TEXT,
    turn=st.none() | ANY_TEXT,
    quick_replies=st.lists(st.builds(QuickReply, ANY_TEXT, ANY_TEXT), max_size=2).map(tuple),
    citations=st.lists(st.builds(Citation, st.integers(1, 9), ANY_TEXT, ANY_TEXT), max_size=2).map(tuple),
    feedback=st.sampled_from([None, "up", "down"]),
    rateable=st.booleans(),
)


@given(MESSAGES)
def test_any_message_can_be_shown(message: Message) -> None:
    body = json.loads(render.final(message).decode("utf-8"))
    assert (body["type"], body["seq"], body["role"]) == ("final", message.seq, message.role)
    assert body["text"] == message.text.encode("utf-8", "replace").decode("utf-8")
    assert ("turn" in body) is (message.turn is not None)
