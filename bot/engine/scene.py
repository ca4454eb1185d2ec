"""What a turn knows before it thinks, read in one short session."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from itertools import pairwise

from bot.domain.language import choose_language
from bot.engine.desk import Desk
from bot.engine.draft import PERSON, asks_for_person
from bot.engine.evidence import Heard, Line, Scene, look_back
from bot.inference.generator import Exchange
from bot.store import ledger
from retrieval.text import script_lang


async def read_scene(desk: Desk, conversation: str, seq: int) -> Scene | None:
    """None where there is nothing to do: answered already, or a person holds the conversation."""
    limit = desk.limits.history + 1
    context = await desk.store.look(lambda s: ledger.context(s, conversation, seq, limit=limit))
    if context.status in ("human", "closed") or not context.messages:
        return None
    *earlier, message = context.messages
    if message.seq != seq or message.state == "answered":
        return None
    lang = choose_language(
        script_lang(message.text), last=context.lang, locale=context.locale, languages=desk.voice.languages
    )
    choice = message.choice or (PERSON if asks_for_person(desk.voice, message.text) else None)
    heard = Heard(message.text, lang, choice, waiting=context.status == "waiting")
    lines = [_line(m) for m in earlier]
    turn, due = secrets.token_urlsafe(9), _due(desk, context.channel, message)
    return Scene(
        conversation,
        seq,
        turn,
        context.fence,
        heard,
        look_back(lines),
        due,
        desk.audience(context.channel),
        _history(lines),
    )


def _due(desk: Desk, channel: str, message: ledger.Line) -> float:
    """A message's time runs from when it was accepted. For who was told to wait it begins again."""
    allowed = desk.limits.deadline(channel)
    waited = 0.0 if message.state == "late" else (desk.clock.now() - message.at).total_seconds()
    return desk.clock.monotonic() + allowed - min(max(waited, 0.0), allowed)


def _line(line: ledger.Line) -> Line:
    return Line(
        line.role, line.text, line.choice, line.topic, [button.value for button in line.quick_replies]
    )


def _history(lines: Sequence[Line]) -> tuple[Exchange, ...]:
    return tuple(
        Exchange(a.text, b.text) for a, b in pairwise(lines) if a.role == "customer" and b.role == "bot"
    )
