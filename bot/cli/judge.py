"""Puts a bot's own questions to the whole bot, turn by turn as a channel would, and judges the last reply of each."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.app import Bot
from bot.definition.questions import CLARIFY, Question
from bot.engine.desk import TEST
from bot.engine.draft import ENTRY
from bot.errors import InferenceError
from bot.inference.child import Progress
from bot.store import ledger
from connectors.port import Inbound, Message
from retrieval.sections import document

RESPONSE_UNKNOWN = "unknown"
TOGETHER = 16
"""Conversations at once: their messages share the encoder's batches."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came: the key of an answer, a document's name, "clarify" or the name of a response; and whether it is right.

    `options`: what a bot that asks offered; `answered`: it gave an answer, of whatever it knows.
    """

    question: Question
    got: str
    right: bool
    confidence: float | None
    options: tuple[str, ...] = ()
    answered: bool = False
    intent: str | None = None
    """The likeliest one; None where nothing had to be understood."""

    def __str__(self) -> str:
        shown = f"{self.got}({', '.join(self.options)})" if self.options else self.got
        return f"{self.question.id}: {self.question.turns[-1]} -> {shown}, not {' or '.join(self.question.expected)}"


async def judge_all(
    bot: Bot, questions: Sequence[Question], *, doing: str, progress: Progress
) -> list[Verdict]:
    """`judge` of each, in their order. `doing`: for people. Raises InferenceError."""
    # A model that writes or reads takes seconds: one question would use up the time that another one has.
    quick = bot.settings.generator == "extractive" and bot.settings.verifier is None
    places, judged = asyncio.Semaphore(TOGETHER if quick else 1), 0

    async def one(question: Question) -> Verdict:
        nonlocal judged
        async with places:
            verdict = await judge(bot, question)
        judged += 1
        progress(doing, judged, len(questions))
        return verdict

    progress(doing, 0, len(questions))
    asked = [asyncio.create_task(one(question)) for question in questions]
    try:
        return await asyncio.gather(*asked)
    finally:  # where one failed, the others are of no use
        for task in asked:
            task.cancel()


async def judge(bot: Bot, question: Question) -> Verdict:
    """A conversation of its own; waits for each reply before the next message."""
    conversation = secrets.token_urlsafe(16)
    for text in question.turns:
        reply = await say(bot, conversation, text, locale=question.lang)
    got, options, answered = await _reading(bot, conversation, reply)
    right = got in question.expected and all(part in reply.text for part in question.says)
    if got == CLARIFY and question.between:
        right = right and not set(options).isdisjoint(question.between)
    async with bot.desk.store.read() as session:
        trace = await ledger.trace(session, conversation, reply.seq - 1)
    intent = str(trace.intents[0]["name"]) if trace and trace.intents else None
    return Verdict(question, got, right, trace.confidence if trace else None, options, answered, intent)


async def say(bot: Bot, conversation: str, text: str, *, locale: str | None = None) -> Message:
    """Send one message as a channel would; the bot's committed reply. Raises InferenceError where none came."""
    async with bot.gateway.subscribe(conversation) as frames:
        inbound = Inbound(TEST, conversation, secrets.token_urlsafe(8), conversation, text, None, locale)
        receipt = await bot.gateway.receive(inbound)
        async for frame in frames:
            message = frame.message
            if frame.kind == "final" and message and message.role == "bot" and frame.seq > receipt.seq:
                return message
    raise InferenceError("The bot gave no reply.", hint="`kefu doctor` says what is wrong with it.")


def known_names(bot: Bot) -> set[str]:
    """All that a question may expect of this bot."""
    entries = bot.host.current().bundle.entries
    documents = (document(entry) for entry in entries)
    return {
        *(entry.key for entry in entries),
        *(name for name in documents if name),
        *bot.definition.responses,
    }


async def _reading(bot: Bot, conversation: str, reply: Message) -> tuple[str, tuple[str, ...], bool]:
    """What a reply is, what it offers, and whether it answers."""
    entries = bot.host.current().bundle.entries
    keys = {entry.id: entry.key for entry in entries}
    offered = (value.removeprefix(ENTRY) for value in _values(reply) if value.startswith(ENTRY))
    if options := tuple(dict.fromkeys(keys[id] for id in offered if id in keys)):
        return CLARIFY, options, False
    async with bot.desk.store.read() as session:
        context = await ledger.context(session, conversation, reply.seq, limit=1)
    if topic := context.messages[-1].topic:
        found = next((entry for entry in entries if entry.key == topic), None)
        return (document(found) if found else None) or topic, (), True
    return _response_name(bot, reply.text), (), False


def _values(reply: Message) -> Iterator[str]:
    return (button.value for button in reply.quick_replies)


def _response_name(bot: Bot, text: str) -> str:
    said: Sequence[str] = [
        name
        for name, variants in bot.definition.responses.items()
        if any(text in texts for texts in variants.values())
    ]
    return said[0] if said else RESPONSE_UNKNOWN
