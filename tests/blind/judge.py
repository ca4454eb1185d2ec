"""Puts questions to a whole bot, turn by turn, and judges the last reply of each.

A question: {"id", "lang", "turns": [...], "expect": topic | document | "refuse" | "clarify", "between"?: [...],
"also"?: [...], "says"?: [...]}. A document is named by its file; `says` is what the answer has to hold.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from bot.app import Bot
from bot.engine.draft import ENTRY
from bot.store import ledger
from connectors.port import Inbound, Message


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was expected, what came (a topic, "refuse", "clarify", "handoff" or "social"), and whether it is right."""

    id: str
    text: str
    expected: str
    got: str
    right: bool
    confidence: float | None


def read_questions(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


async def judge(bot: Bot, question: dict[str, Any]) -> Verdict:
    """A conversation of its own; waits for each reply before the next message."""
    conversation = secrets.token_urlsafe(16)
    for text in question["turns"]:
        reply = await say(bot, conversation, text, locale=question["lang"])
    got, options = await _reading(bot, conversation, reply)
    expected = question["expect"]
    right = got in (expected, *question.get("also", ())) and all(
        w in reply.text for w in question.get("says", ())
    )
    if expected == "clarify":
        right = got == "clarify" and len(options & set(question.get("between", options))) >= 1
    async with bot.desk.store.read() as session:
        trace = await ledger.trace(session, conversation, reply.seq - 1)
    shown = got if got != "clarify" else f"clarify({', '.join(sorted(options))})"
    return Verdict(
        question["id"], question["turns"][-1], expected, shown, right, trace.confidence if trace else None
    )


async def say(bot: Bot, conversation: str, text: str, *, locale: str | None = None) -> Message:
    """Send one message as a channel would; the bot's committed reply."""
    async with bot.gateway.subscribe(conversation) as frames:
        inbound = Inbound("test", conversation, secrets.token_urlsafe(8), conversation, text, None, locale)
        receipt = await bot.gateway.receive(inbound)
        async for frame in frames:
            if (
                frame.kind == "final"
                and frame.message
                and frame.message.role == "bot"
                and frame.seq > receipt.seq
            ):
                return frame.message
    raise AssertionError("no reply")


async def _reading(bot: Bot, conversation: str, reply: Message) -> tuple[str, set[str]]:
    entries = bot.host.current().bundle.entries
    keys = {e.id: e.key for e in entries}
    options = {keys[v.removeprefix(ENTRY)] for v in _values(reply) if v.startswith(ENTRY)}
    if options:
        return "clarify", options
    async with bot.desk.store.read() as session:
        context = await ledger.context(session, conversation, reply.seq, limit=1)
    topic = context.messages[-1].topic
    if topic:
        return _document(next((e.url for e in entries if e.key == topic), None)) or topic, set()
    return _response_name(bot, reply.text), set()


def _document(url: str | None) -> str | None:
    """The name of the file that a passage comes from; stored answers link to pages, or to nothing."""
    return None if url is None or "://" in url else Path(unquote(url.partition("#")[0])).name


def _values(reply: Message) -> Iterator[str]:
    return (button.value for button in reply.quick_replies)


def _response_name(bot: Bot, text: str) -> str:
    for name, variants in bot.definition.responses.items():
        if any(text in texts for texts in variants.values()):
            return name
    return "unknown"
