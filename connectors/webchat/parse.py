"""Bytes of a client -> one frozen frame, or `Malformed` and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Callable

from connectors.errors import Malformed
from connectors.ids import MESSAGE_ID
from connectors.reading import Object, decode, optional, string, whole, words
from connectors.webchat.frames import (
    MAX_FRAME,
    MAX_VALUE,
    VERSION,
    Ack,
    Choose,
    ClientFrame,
    Hello,
    Ping,
    Rate,
    Say,
)


def parse(data: bytes) -> ClientFrame:
    """One message of a client. Unknown keys are ignored. Raises `Malformed`."""
    return understand(unpack(data))


def unpack(data: bytes) -> Object:
    """The JSON object. Raises `Malformed`."""
    if len(data) > MAX_FRAME:
        raise Malformed("too_large", f"A frame has at most {MAX_FRAME} bytes.")
    return decode(data)


def understand(frame: Object) -> ClientFrame:
    """Raises `Malformed`."""
    kind = frame.get("type")
    if not isinstance(kind, str):
        raise Malformed("bad_frame", "A frame has a string 'type'.")
    reader = _READERS.get(kind)
    if reader is None:
        raise Malformed("unknown_type", f"Known types: {', '.join(_READERS)}.")
    return reader(frame)


def read_hello(frame: Object) -> Hello:
    """Raises `Malformed`."""
    if whole(frame, "v") != VERSION:
        raise Malformed("bad_frame", f"This server speaks version {VERSION}: send 'v': {VERSION}.")
    last_seq = whole(frame, "last_seq") if "last_seq" in frame else 0
    return Hello(optional(frame, "token"), last_seq, optional(frame, "locale"))


def _say(frame: Object) -> Say:
    ref = _id(frame)
    return Say(ref, words(frame, "text", ref=ref))


def _choose(frame: Object) -> Choose:
    ref = _id(frame)
    value = string(frame, "value", ref=ref)
    if not 0 < len(value) <= MAX_VALUE:
        raise Malformed("bad_frame", f"'value' has 1 to {MAX_VALUE} characters.", ref=ref)
    return Choose(ref, whole(frame, "of", ref=ref), value)


def _rate(frame: Object) -> Rate:
    of = whole(frame, "of")
    vote = frame.get("vote", "")
    match vote:
        case "up" | "down" | None:
            return Rate(of, vote)
        case _:
            raise Malformed("bad_frame", '\'vote\' is "up", "down" or null.', ref=of)


def _ack(frame: Object) -> Ack:
    return Ack(whole(frame, "seq"))


def _ping(_: Object) -> Ping:
    return Ping()


_READERS: dict[str, Callable[[Object], ClientFrame]] = {
    "hello": read_hello,
    "message": _say,
    "choice": _choose,
    "feedback": _rate,
    "ack": _ack,
    "ping": _ping,
}


def _id(frame: Object) -> str:
    value = frame.get("id")
    if not isinstance(value, str) or not MESSAGE_ID.fullmatch(value):
        raise Malformed("bad_frame", "'id' has 1 to 64 characters of A-Z, a-z, 0-9, _ and -.")
    return value
