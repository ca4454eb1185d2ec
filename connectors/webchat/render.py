"""What the server says: port types -> one JSON object in UTF-8. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, assert_never

from connectors.errors import ConnectorError
from connectors.http import error_body
from connectors.port import MAX_TEXT, Citation, Frame, Message, Profile, Receipt, Status
from connectors.webchat.frames import VERSION
from connectors.webchat.goodbye import Goodbye

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _dump(value: dict[str, Any]) -> bytes:
    # A lone surrogate in a stored text must not cost the customer the connection.
    return _JSON.encode(value).encode("utf-8", "replace")


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


PONG = _dump({"type": "pong"})
_TYPING = {on: _dump({"type": "typing", "on": on}) for on in (False, True)}


def error(problem: ConnectorError, *, ref: str | int | None = None) -> bytes:
    return _dump({"type": "error", "error": error_body(problem, ref=ref)})


def welcome(
    profile: Profile,
    *,
    token: str,
    expires_at: datetime,
    conversation: str,
    seq: int,
    status: Status,
    per_minute: int,
) -> bytes:
    bot = {
        "name": profile.name,
        "languages": profile.languages,
        "welcome": profile.welcome,
        "suggestions": profile.suggestions,
    }
    return _dump(
        {
            "type": "welcome",
            "v": VERSION,
            "token": token,
            "expires_at": _time(expires_at),
            "conversation": conversation,
            "seq": seq,
            "status": status,
            "bot": bot,
            "limits": {"text": MAX_TEXT, "per_minute": per_minute},
        }
    )


def accepted(external_id: str, receipt: Receipt) -> bytes:
    at = _time(receipt.at)
    return _dump(
        {"type": "accepted", "id": external_id, "seq": receipt.seq, "at": at, "duplicate": receipt.duplicate}
    )


def final(message: Message) -> bytes:
    body: dict[str, Any] = {
        "type": "final",
        "seq": message.seq,
        "role": message.role,
        "text": message.text,
        "at": _time(message.at),
    }
    if message.external_id is not None and message.role == "customer":
        body["id"] = message.external_id
    if message.turn is not None:
        body |= {"turn": message.turn, "attempt": message.attempt}
    if message.quick_replies:
        body["quick_replies"] = [{"label": q.label, "value": q.value} for q in message.quick_replies]
    if message.citations:
        body["citations"] = [_citation(c) for c in message.citations]
    if message.feedback is not None:
        body["vote"] = message.feedback
    if message.rateable:
        body["rateable"] = True
    return _dump(body)


def _citation(citation: Citation) -> dict[str, Any]:
    body: dict[str, Any] = {"mark": citation.mark, "title": citation.title, "snippet": citation.snippet}
    if citation.url is not None:
        body["url"] = citation.url
    return body


def close(goodbye: Goodbye) -> bytes:
    """The last event of a stream: what a WebSocket says in its close frame."""
    return _dump({"type": "close", "code": goodbye.code, "reason": goodbye.reason})


def status(value: Status) -> bytes:
    return _dump({"type": "status", "status": value})


def frame(frame: Frame) -> bytes:
    """A frame of the gateway. A `final` carries its message."""
    match frame.kind:
        case "final":
            assert frame.message is not None
            return final(frame.message)
        case "delta":
            where = {"turn": frame.turn, "attempt": frame.attempt}
            return _dump({"type": "delta", **where, "text": frame.text})
        case "withdraw":
            return _dump({"type": "withdraw", "turn": frame.turn, "attempt": frame.attempt})
        case "read":
            return _dump({"type": "read", "seq": frame.seq})
        case "typing":
            return _TYPING[frame.on]
        case "status":
            return status(frame.status)
        case "feedback":
            return _dump({"type": "feedback", "of": frame.seq, "vote": frame.vote})
        case _:
            assert_never(frame.kind)
