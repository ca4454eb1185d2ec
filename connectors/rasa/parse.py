"""Bytes of a Rasa client -> what was uttered, or `Malformed` and nothing else. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectors.errors import Malformed
from connectors.reading import Object, decode, string, words

MAX_BODY = 64 * 1024
"""Bytes of a request: the message, and metadata."""
MAX_SENDER = 255
"""Characters."""

_BAD_SENDER = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_PAYLOAD = re.compile(r"/choice/([0-9]{1,15})/(.{1,1000})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pressed:
    """The button `value` of message `of`."""

    of: int
    value: str


@dataclass(frozen=True, slots=True)
class Uttered:
    sender: str
    text: str
    pressed: Pressed | None
    locale: str | None


def parse(data: bytes) -> Uttered:
    """`{sender, message, metadata?, input_channel?}`; other keys are ignored. Raises `Malformed`."""
    given = decode(data)
    sender, text = _sender(given), words(given, "message").strip()
    return Uttered(sender, text, _pressed(text), _locale(given))


def payload(of: int, value: str) -> str:
    """What a button sends back as its message."""
    return f"/choice/{of}/{value}"


def _pressed(text: str) -> Pressed | None:
    found = _PAYLOAD.fullmatch(text)
    return Pressed(int(found[1]), found[2]) if found else None


def _sender(given: Object) -> str:
    sender = given.get("sender")
    if type(sender) is int:
        sender = str(sender)  # as Rasa does
    if not isinstance(sender, str) or not sender.strip():
        raise Malformed("no_sender", "Name a 'sender': an id of your own for the person who writes.")
    if len(sender) > MAX_SENDER or _BAD_SENDER.search(sender):
        raise Malformed("no_sender", f"'sender' has 1 to {MAX_SENDER} characters, no control characters.")
    return sender


def _locale(given: Object) -> str | None:
    """Of the metadata, `language` (or `locale`) is read; nothing of it is kept."""
    metadata = given.get("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict):
        raise Malformed("bad_frame", "'metadata' is an object.")
    for key in ("language", "locale"):
        if isinstance(metadata.get(key), str):
            return string(metadata, key)
    return None
