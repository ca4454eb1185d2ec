"""Rows of a reply, as Core statements take them: always of one shape."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.store.columns import new_id
from bot.store.ledger.records import Draft, Reply, TraceRecord
from connectors.port import Citation, Message, QuickReply


def message(reply: Reply, draft: Draft, seq: int, *, now: datetime) -> Message:
    return Message(
        seq=seq,
        role=draft.role,
        text=draft.text,
        at=now,
        turn=reply.turn,
        attempt=reply.attempt,
        reply_to=reply.seq,
        quick_replies=draft.quick_replies,
        citations=draft.citations,
        rateable=draft.rateable,
    )


def message_row(reply: Reply, made: Message, draft: Draft, *, channel: str, scope: str) -> dict[str, Any]:
    return {
        "id": new_id(),
        "conversation_id": reply.conversation,
        "seq": made.seq,
        "role": made.role,
        "text": made.text,
        "channel": channel,
        "scope": scope,
        "payload": _payload(draft),
        "turn": reply.turn,
        "attempt": reply.attempt,
        "reply_to": reply.seq,
        "created_at": made.at,
    }


def outbox_row(reply: Reply, made: Message, *, channel: str) -> dict[str, Any]:
    return {
        "id": new_id(),
        "conversation_id": reply.conversation,
        "seq": made.seq,
        "channel": channel,
        "state": "pending",
        "attempts": 0,
        "next_at": made.at,
        "idempotency_key": f"{reply.conversation}:{made.seq}",
        "created_at": made.at,
        "updated_at": made.at,
    }


def trace_row(reply: Reply, trace: TraceRecord, *, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "conversation_id": reply.conversation,
        "seq": reply.seq,
        "turn": reply.turn,
        "release": trace.release,
        "bundle": trace.bundle,
        "lang": trace.lang,
        "decision": trace.decision,
        "reason": trace.reason,
        "confidence": trace.confidence,
        "intents": [dict(intent) for intent in trace.intents],
        "hits": [dict(hit) for hit in trace.hits],
        "timings": dict(trace.timings),
        "contextual": trace.contextual,
        "bound": trace.bound,
        "entities": [dict(entity) for entity in trace.entities or ()],
        "prompt_tokens": trace.prompt_tokens,
        "completion_tokens": trace.completion_tokens,
        "cost": trace.cost,
        "created_at": now,
    }


def case_row(reply: Reply, lang: str | None, *, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "conversation_id": reply.conversation,
        "seq": reply.seq,
        "reason": reply.escalate,
        "state": "open",
        "lang": lang,
        "created_at": now,
        "updated_at": now,
    }


def _payload(made: Draft) -> dict[str, Any]:
    payload: dict[str, Any] = {}
    if made.quick_replies:
        payload["quick_replies"] = [_fields(button) for button in made.quick_replies]
    if made.citations:
        payload["citations"] = [_fields(citation) for citation in made.citations]
    if made.rateable:
        payload["rateable"] = True
    if made.topic:
        payload["topic"] = made.topic
    return payload


def _fields(made: QuickReply | Citation) -> dict[str, Any]:
    """As `dataclasses.asdict`, which copies all the way down for eight times as long."""
    return {name: getattr(made, name) for name in made.__slots__}
