"""The tables: rows only, no behaviour. Ids are 22 random URL-safe characters unless said otherwise.

`CONVERSATION`, `MESSAGE` ... are the same tables for Core statements, which skip the identity map: the hot
path uses these.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Table, UniqueConstraint, text
from sqlmodel import Field

from bot.store.columns import Row, UtcDateTime, json_column

SCHEMA = "0008"
"""The migration that arrives at these tables."""

# Partial indexes are used only where a query repeats their condition word for word, so each has one home.
WAITING_FOR_REPLY = "state IN ('accepted', 'late')"
DUE = "state = 'pending'"
OPEN = "state = 'open'"


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    condition = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def _conversation(**kwargs: Any) -> Any:
    return Field(foreign_key="conversation.id", ondelete="CASCADE", **kwargs)


class Conversation(Row, table=True):
    """`id` is the public one. `fence` grows whenever the holder changes; `last_seq`: the newest message."""

    __table_args__ = (Index("ix_conversation_created_at_id", "created_at", "id"),)

    id: str = Field(primary_key=True)
    channel: str
    scope: str
    lang: str | None = None
    locale: str | None = None
    status: str = "bot"
    """bot, waiting, human or closed."""
    fence: int = 0
    last_seq: int = 0
    delivered_seq: int = 0
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class Message(Row, table=True):
    """One line of a conversation; `seq` counts from 1 without gaps."""

    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        UniqueConstraint("channel", "scope", "external_id"),
        _partial("ix_message_waiting", "created_at", "conversation_id", "seq", where=WAITING_FOR_REPLY),
    )

    id: str = Field(primary_key=True)
    conversation_id: str = _conversation()
    seq: int
    role: str
    text: str
    choice: str | None = None
    channel: str
    scope: str
    external_id: str | None = None
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=json_column())
    """`quick_replies`, `citations`, `rateable`; keys are left out where they say nothing."""
    turn: str | None = None
    attempt: int = 0
    reply_to: int | None = None
    """`seq` of the customer's message that this one answers."""
    state: str | None = None
    """Of a customer's message: accepted, answered, or late (past its deadline, still to be answered)."""
    created_at: datetime = Field(sa_type=UtcDateTime)


class Trace(Row, table=True):
    """Why the bot answered as it did. `seq` is the customer's message."""

    __table_args__ = (
        Index("ix_trace_conversation_id_seq", "conversation_id", "seq"),
        Index("ix_trace_created_at_id", "created_at", "id"),
    )

    id: str = Field(primary_key=True)
    conversation_id: str = _conversation()
    seq: int
    turn: str
    release: str
    bundle: str
    lang: str | None = None
    decision: str
    reason: str
    confidence: float | None = None
    intents: list[dict[str, Any]] = Field(default_factory=list, sa_type=json_column())
    hits: list[dict[str, Any]] = Field(default_factory=list, sa_type=json_column())
    timings: dict[str, float] = Field(default_factory=dict, sa_type=json_column())
    """Milliseconds."""
    contextual: bool = False
    bound: float | None = None
    """How sure the bot had to be to answer; above 1: it could not be sure enough."""
    entities: list[dict[str, Any]] | None = Field(default=None, sa_type=json_column())
    """Kinds and places of what the message names; None in rows of earlier versions."""
    prompt_tokens: int | None = None
    """Read by generators for this answer; None where none was asked."""
    completion_tokens: int | None = None
    cost: int | None = Field(default=None, sa_type=BigInteger)
    """Millionths of what prices are in."""
    created_at: datetime = Field(sa_type=UtcDateTime)


class Outbox(Row, table=True):
    """What is still to be shown to the customer, one row a bot, agent or system message."""

    __table_args__ = (
        Index("ix_outbox_conversation_id_seq", "conversation_id", "seq"),
        UniqueConstraint("idempotency_key"),
        _partial("ix_outbox_due", "next_at", where=DUE),
    )

    id: str = Field(primary_key=True)
    conversation_id: str = _conversation()
    seq: int
    channel: str
    state: str = "pending"
    """pending, shown, delivered or dead."""
    attempts: int = 0
    next_at: datetime = Field(sa_type=UtcDateTime)
    idempotency_key: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class Escalation(Row, table=True):
    """A conversation passed to a person: open, taken, closed. At most one is open for each conversation."""

    __table_args__ = (
        _partial("uq_escalation_open", "conversation_id", where=OPEN, unique=True),
        Index("ix_escalation_conversation_id", "conversation_id"),
        _partial("ix_escalation_queue", "created_at", where=OPEN),
    )

    id: str = Field(primary_key=True)
    conversation_id: str = _conversation()
    seq: int
    reason: str
    state: str = "open"
    lang: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class Feedback(Row, table=True):
    """Thumbs of the customer for message `seq`; taking them back removes the row."""

    conversation_id: str = _conversation(primary_key=True)
    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    vote: str
    updated_at: datetime = Field(sa_type=UtcDateTime)


class Knowledge(Row, table=True):
    """A stored question with its answer. (source, key, lang) keeps its id through every change."""

    __table_args__ = (
        UniqueConstraint("source", "key", "lang"),
        Index("ix_knowledge_key_lang", "key", "lang"),
    )

    id: str = Field(primary_key=True)
    source: str
    """Name of the file, or 'api'."""
    key: str
    lang: str
    question: str
    answer: str
    title: str = ""
    intent: str | None = None
    alternatives: list[str] = Field(default_factory=list, sa_type=json_column())
    valid_from: date | None = None
    valid_to: date | None = None
    url: str | None = None
    audience: list[str] | None = Field(default=None, sa_type=json_column())
    """Who may hear it; empty, or None in rows of earlier versions: everybody."""
    content_hash: str
    revision: int
    """Knowledge revision of the last change."""
    active: bool = True
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class ReleaseAlias(Row, table=True):
    """Which release is `live`, `candidate`, `previous`. No row for `live`: `base`, the bot's base encoder."""

    __tablename__ = "release_alias"

    alias: str = Field(primary_key=True)
    release: str
    updated_at: datetime = Field(sa_type=UtcDateTime)


class ReleaseChange(Row, table=True):
    """One line of history: `release` went live instead of `before`. `number` counts from 1 without gaps."""

    __tablename__ = "release_change"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    action: str
    """promote or rollback."""
    release: str
    before: str
    by: str
    """The account of the machine that asked for it."""
    why: str
    verdict: dict[str, Any] = Field(default_factory=dict, sa_type=json_column())
    """What the gate said; empty where it was not asked."""
    at: datetime = Field(sa_type=UtcDateTime)


class PromiseCount(Row, table=True):
    """What came of answers under a promise: of one release with its heads, in one language."""

    __tablename__ = "promise_count"

    release: str = Field(primary_key=True)
    lang: str = Field(primary_key=True)
    answered: int
    wrong: int
    updated_at: datetime = Field(sa_type=UtcDateTime)


class Alert(Row, table=True):
    """Something that people should look at, once for each (kind, subject). It holds no customer's words."""

    __table_args__ = (UniqueConstraint("kind", "subject"),)

    id: str = Field(primary_key=True)
    kind: str
    subject: str
    about: dict[str, Any] = Field(default_factory=dict, sa_type=json_column())
    opened_at: datetime = Field(sa_type=UtcDateTime)


class Spending(Row, table=True):
    """What generators took in a day (UTC), by model. `cost` in millionths."""

    day: date = Field(primary_key=True)
    model: str = Field(primary_key=True)
    requests: int = Field(sa_type=BigInteger)
    prompt_tokens: int = Field(sa_type=BigInteger)
    completion_tokens: int = Field(sa_type=BigInteger)
    cost: int = Field(sa_type=BigInteger)


class Meta(Row, table=True):
    """Facts about the store itself, such as 'knowledge_revision'."""

    key: str = Field(primary_key=True)
    value: str


def _table(name: str) -> Table:
    return Row.metadata.tables[name]


CONVERSATION = _table("conversation")
MESSAGE = _table("message")
TRACE = _table("trace")
OUTBOX = _table("outbox")
ESCALATION = _table("escalation")
FEEDBACK = _table("feedback")
KNOWLEDGE = _table("knowledge")
RELEASE_ALIAS = _table("release_alias")
RELEASE_CHANGE = _table("release_change")
PROMISE_COUNT = _table("promise_count")
ALERT = _table("alert")
SPENDING = _table("spending")
META = _table("meta")
