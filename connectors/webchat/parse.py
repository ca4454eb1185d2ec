"""Bytes of a client -> one frozen frame, or a `FrameError` and nothing else. Pure."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias

from connectors.port import MAX_TEXT
from connectors.webchat.frames import (
    MAX_FRAME,
    MAX_SEQ,
    MAX_VALUE,
    VERSION,
    Ack,
    Choose,
    ClientFrame,
    FrameError,
    Hello,
    Ping,
    Rate,
    Say,
)

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BLANK = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})

_Object: TypeAlias = dict[str, Any]


def parse(data: bytes) -> ClientFrame:
    """One WebSocket message. Unknown keys are ignored. Raises `FrameError`."""
    if len(data) > MAX_FRAME:
        raise FrameError("too_large", f"A frame has at most {MAX_FRAME} bytes.")
    frame = _decode(data)
    if not isinstance(frame, dict):
        raise FrameError("bad_frame", "A frame is a JSON object.")
    kind = frame.get("type")
    if not isinstance(kind, str):
        raise FrameError("bad_frame", "A frame has a string 'type'.")
    reader = _READERS.get(kind)
    if reader is None:
        raise FrameError("unknown_type", f"Known types: {', '.join(_READERS)}.")
    return reader(frame)


def _unique(pairs: list[tuple[str, Any]]) -> _Object:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise FrameError("bad_frame", "A key occurs twice.")
    return found


def _not_json(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity: Python reads them, JSON has none


_JSON = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_not_json)


def _decode(data: bytes) -> Any:
    try:
        return _JSON.decode(data.decode("utf-8"))
    except (ValueError, RecursionError):  # bad UTF-8, bad JSON, numbers of thousands of digits; deep nesting
        raise FrameError("bad_json", "Not JSON in UTF-8, or nested too deeply.") from None


def _hello(frame: _Object) -> Hello:
    if _whole(frame, "v") != VERSION:
        raise FrameError("bad_frame", f"This server speaks version {VERSION}: send 'v': {VERSION}.")
    last_seq = _whole(frame, "last_seq") if "last_seq" in frame else 0
    return Hello(_optional(frame, "token"), last_seq, _optional(frame, "locale"))


def _say(frame: _Object) -> Say:
    ref = _id(frame)
    text = _CONTROL.sub("", _string(frame, "text", ref=ref))
    if len(text) > MAX_TEXT:
        raise FrameError("too_large", f"A message has at most {MAX_TEXT} characters.", ref=ref)
    if all(unicodedata.category(character) in _BLANK for character in text):
        raise FrameError("empty_text", "Write something first.", ref=ref)
    return Say(ref, text)


def _choose(frame: _Object) -> Choose:
    ref = _id(frame)
    value = _string(frame, "value", ref=ref)
    if not 0 < len(value) <= MAX_VALUE:
        raise FrameError("bad_frame", f"'value' has 1 to {MAX_VALUE} characters.", ref=ref)
    return Choose(ref, _whole(frame, "of", ref=ref), value)


def _rate(frame: _Object) -> Rate:
    of = _whole(frame, "of")
    vote = frame.get("vote", "")
    match vote:
        case "up" | "down" | None:
            return Rate(of, vote)
        case _:
            raise FrameError("bad_frame", '\'vote\' is "up", "down" or null.', ref=of)


def _ack(frame: _Object) -> Ack:
    return Ack(_whole(frame, "seq"))


def _ping(_: _Object) -> Ping:
    return Ping()


_READERS: dict[str, Callable[[_Object], ClientFrame]] = {
    "hello": _hello,
    "message": _say,
    "choice": _choose,
    "feedback": _rate,
    "ack": _ack,
    "ping": _ping,
}


def _id(frame: _Object) -> str:
    value = frame.get("id")
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise FrameError("bad_frame", "'id' has 1 to 64 characters of A-Z, a-z, 0-9, _ and -.")
    return value


def _whole(frame: _Object, key: str, *, ref: str | None = None) -> int:
    value = frame.get(key)
    if type(value) is not int or not 0 <= value <= MAX_SEQ:  # a bool is an int to isinstance
        raise FrameError("bad_frame", f"'{key}' is a whole number from 0 to 2^53 - 1.", ref=ref)
    return value


def _string(frame: _Object, key: str, *, ref: str | None = None) -> str:
    value = frame.get(key)
    if not isinstance(value, str) or _SURROGATE.search(value):
        raise FrameError("bad_frame", f"'{key}' is a string of whole characters.", ref=ref)
    return value


def _optional(frame: _Object, key: str) -> str | None:
    return None if frame.get(key) is None else _string(frame, key)
