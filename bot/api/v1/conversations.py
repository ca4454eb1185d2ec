"""/conversations: who talked to the bot, and why it answered as it did."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from bot.api.cursors import page, unpack_moment, unpack_number
from bot.api.house import Call
from bot.api.routing import Routes
from bot.api.shapes import ById, Data, Given, Line, Page, Paging, Shown
from connectors.port import Status

ROUTES = Routes("conversations", "Who talked to the bot, and why it answered as it did.")

Locale = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$")]


class Conversation(Shown):
    """Its words are read at `/conversations/{id}/messages`."""

    id: str
    channel: str = Field(description="The channel's instance; `api` for those that are begun here.")
    status: Status = Field(description="Who holds it; waiting: for a person, while the bot goes on.")
    lang: str | None = Field(description="The language spoken last.")
    locale: str | None
    last_seq: int = Field(description="Number of the newest message; 0 where there is none.")
    created_at: datetime
    updated_at: datetime

    @property
    def place(self) -> tuple[str, str]:
        return self.created_at.isoformat(), self.id


class ConversationFilter(Paging):
    channel: Line | None = None
    status: Status | None = None


class NewConversation(Given):
    locale: Locale | None = Field(None, description="As a browser says it; for texts that show no language.")


class Named(Shown):
    """Something that a customer's message names: characters `start` up to `end` of its text."""

    kind: str = Field(description="A kind of the bot's `entities.yml`.")
    start: int = Field(description="Its first character, from 0, counted in Unicode code points.")
    end: int = Field(description="The one after its last character.")
    source: str = Field(
        description="What found it: `examples`, `pattern`, `list`, or the recogniser (`amount`, `date`, ...)."
    )


class Reason(Shown):
    """What was known when a message was answered. It holds the bot's phrasings, not the customer's words."""

    release: str
    bundle: str
    decision: str
    reason: str
    lang: str | None
    confidence: float | None
    intents: list[Mapping[str, Any]]
    hits: list[Mapping[str, Any]]
    timings: dict[str, float] = Field(description="Milliseconds.")
    contextual: bool = Field(description="Read together with the question before.")
    bound: float | None = Field(
        description="How sure the bot had to be to answer; above 1: no message in this language is answered from "
        "understanding. Null where that decided nothing, and in traces of earlier versions."
    )
    prompt_tokens: int | None = Field(
        description="Read by generators for this answer. Null where none was asked, and in traces of earlier versions."
    )
    completion_tokens: int | None = Field(description="Written by them.")
    cost: int | None = Field(description="Millionths of the money that `KEFU_GENERATOR_PRICE` is in.")
    entities: list[Named] | None = Field(
        description="What the message names, in its order; null in traces of earlier versions."
    )


class Trace(Shown):
    seq: int = Field(description="Number of the customer's message.")
    turn: str
    at: datetime
    trace: Reason


@ROUTES.get("/conversations")
async def list_conversations(call: Call, query: ConversationFilter) -> Page[Conversation]:
    """List conversations, the newest first."""
    found = await call.rows.conversations(
        channel=query.channel, status=query.status, after=unpack_moment(query), limit=query.limit + 1
    )
    return page([Conversation.model_validate(one) for one in found], query.limit, lambda one: one.place)


@ROUTES.post("/conversations", status=201)
async def begin_conversation(call: Call, body: NewConversation) -> Data[Conversation]:
    """Begin a conversation of your own, on the channel `api`."""
    begun = await call.rows.begin_conversation(secrets.token_urlsafe(16), locale=body.locale)
    return Data(data=Conversation.model_validate(begun))


@ROUTES.get("/conversations/{id}")
async def read_conversation(call: Call, path: ById) -> Data[Conversation]:
    """Read who holds a conversation, and how far it has come."""
    return Data(data=Conversation.model_validate(await call.rows.conversation(path.id)))


@ROUTES.get("/conversations/{id}/traces")
async def list_traces(call: Call, path: ById, query: Paging) -> Page[Trace]:
    """List why the bot answered each message as it did, oldest first."""
    await call.rows.conversation(path.id)
    found = await call.rows.traces(path.id, unpack_number(query), limit=query.limit + 1)
    return page([Trace.model_validate(one) for one in found], query.limit, lambda one: [str(one.seq)])
