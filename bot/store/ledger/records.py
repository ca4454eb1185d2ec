"""What goes into the ledger and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.port import Citation, Message, QuickReply, Role, Status


@dataclass(frozen=True, slots=True)
class Accepted:
    """Where and when the message was FIRST stored; `duplicate`: that was not now."""

    conversation: str
    seq: int
    at: datetime
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Pending:
    """A customer's message that is owed an answer; `late`: its deadline passed and the customer knows.

    `at`: when it was accepted.
    """

    conversation: str
    seq: int
    at: datetime
    late: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A message as the engine reads it. `state` only for the customer's: accepted, answered or late."""

    seq: int
    role: Role
    text: str
    at: datetime
    choice: str | None = None
    state: str | None = None
    reply_to: int | None = None
    quick_replies: tuple[QuickReply, ...] = ()
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """A conversation and its newest lines, newest last."""

    conversation: str
    channel: str
    scope: str
    status: Status
    fence: int
    lang: str | None
    locale: str | None
    last_seq: int
    messages: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """One message to be committed. `rateable`: thumbs make sense. `topic`: key of the answer it gives."""

    text: str
    role: Role = "bot"
    quick_replies: tuple[QuickReply, ...] = ()
    citations: tuple[Citation, ...] = ()
    rateable: bool = False
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """Why this reply. `intents`: the best three; `hits`: ids, keys and scores, no texts; `timings` in ms.

    `bound`: how sure the bot had to be to answer; above 1: never sure enough. None where that decided nothing.
    """

    release: str
    bundle: str
    decision: str
    reason: str
    lang: str | None = None
    confidence: float | None = None
    intents: Sequence[Mapping[str, Any]] = ()
    hits: Sequence[Mapping[str, Any]] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    contextual: bool = False
    bound: float | None = None
    entities: Sequence[Mapping[str, Any]] | None = ()
    """Kinds and places of what the message names, never its words; None in rows of earlier versions."""
    prompt_tokens: int | None = None
    """Read by generators for this answer; None where none was asked."""
    completion_tokens: int | None = None
    cost: int | None = None
    """Millionths of what prices are in."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What answers customer message `seq`, all of it or nothing.

    `fence` is the one read with the context. `lang` becomes the conversation's; None leaves it. `escalate`:
    the reason to pass the conversation to a person. `late`: this only says that the answer takes longer, and
    leaves the message owed. No `messages`: answered with silence.
    """

    conversation: str
    seq: int
    fence: int
    turn: str
    messages: tuple[Draft, ...]
    attempt: int = 0
    trace: TraceRecord | None = None
    lang: str | None = None
    escalate: str | None = None
    late: bool = False


@dataclass(frozen=True, slots=True)
class Committed:
    """`messages` as everybody sees them; `escalation`: id of the case opened by this reply, if it was."""

    messages: tuple[Message, ...]
    status: Status
    fence: int
    escalation: str | None = None

    @property
    def seqs(self) -> tuple[int, ...]:
        return tuple(message.seq for message in self.messages)
