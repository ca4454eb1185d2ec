"""/conversations/{id}/messages: what was said, and talking to the bot in a conversation of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from bot.api.access import API
from bot.api.errors import RequestError
from bot.api.house import Call
from bot.api.routing import Routes
from bot.api.shapes import MAX_PAGE, ById, Data, Given, Page, Shown
from bot.api.waits import MAX_WAIT_S
from connectors.choices import pressed
from connectors.ids import IDEMPOTENCY_KEY, message_id
from connectors.port import MAX_TEXT, Inbound, Receipt, Role, Vote
from connectors.port import Message as Stored
from connectors.reading import words
from connectors.uncut import uncut

ROUTES = Routes("messages", "What was said, and talking to the bot in a conversation of one's own.")

MAX_SEQ = 2**31 - 1
Seq = Annotated[int, Field(ge=0, le=MAX_SEQ)]
Seconds = Annotated[float, Field(ge=0, le=MAX_WAIT_S)]


class QuickReply(Shown):
    """A button: `label` is shown, `value` is what a choice sends back."""

    label: str
    value: str


class Citation(Shown):
    """Where a statement comes from. `mark` is the number shown in the text as [mark]; a `url` with "/" ahead is a page
    of this server.
    """

    mark: int
    title: str
    snippet: str
    url: str | None


class Message(Shown):
    """Numbers count from 1 without gaps within the conversation."""

    seq: int
    role: Role
    text: str
    at: datetime
    external_id: str | None = Field(description="Of a customer's message: its id at the channel.")
    turn: str | None
    reply_to: int | None = Field(description="Of a reply: number of the message that it answers.")
    quick_replies: list[QuickReply]
    citations: list[Citation]
    feedback: Vote | None
    rateable: bool


class History(Given):
    after: Seq = Field(
        0, description="Messages with a larger number; `next` of the page before, or any `seq`."
    )
    limit: int = Field(50, ge=1, le=MAX_PAGE, description="Items a page.")
    wait: Seconds = Field(0, description="Seconds to wait for a message where there is none yet.")


class Patience(Given):
    wait: Seconds = Field(0, description="Seconds to wait for the reply; 0: do not wait.")


class SendOnce(Given):
    key: Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,255}$")] | None = Field(
        None,
        alias=IDEMPOTENCY_KEY,
        description="Yours, one a message. The same again is the same message, and is answered once.",
    )


class Choice(Given):
    """A button of an earlier message is pressed."""

    of: Annotated[int, Field(ge=1, le=MAX_SEQ)] = Field(description="Number of the message it stands under.")
    value: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class NewMessage(Given):
    """Either a text or a choice."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)] | None = None
    choice: Choice | None = None


class Exchange(Shown):
    """The message is stored, and will be answered."""

    seq: int
    at: datetime
    duplicate: bool = Field(description="It was stored before, under this number.")
    answered: bool = Field(
        description="False: the reply is still to come, or a person holds the conversation."
    )
    replies: list[Message]


@ROUTES.get("/conversations/{id}/messages")
async def list_messages(call: Call, path: ById, query: History) -> Page[Message]:
    """List what was said, oldest first. With `wait` it answers as soon as there is something."""
    await call.rows.conversation(path.id)

    async def look() -> Sequence[Stored]:
        return await call.house.gateway.history_after(path.id, query.after, limit=query.limit + 1)

    found = await call.house.waits.until(path.id, look, enough=bool, seconds=query.wait)
    shown = [Message.model_validate(message) for message in found[: query.limit]]
    return Page(data=shown, next=str(shown[-1].seq) if len(found) > query.limit else None)


@ROUTES.post("/conversations/{id}/messages", problems=(409,))
async def send_message(
    call: Call, path: ById, query: Patience, headers: SendOnce, body: NewMessage
) -> Data[Exchange]:
    """Say something in a conversation of your own.

    Answered once it is stored; with `wait`, once it is replied to. What was not replied to in that time is read
    later, by the same request with the same `Idempotency-Key` or from the list of messages.
    """
    conversation = await call.rows.own_conversation(path.id)
    text, choice = await _said(call, path.id, body)
    key = message_id(headers.key)
    inbound = Inbound(API, path.id, key, path.id, text, choice, conversation.locale)
    receipt = await uncut(call.house.gateway.receive(inbound))
    if receipt.duplicate:
        await _expect_same(call, receipt, text)
    replies = await call.house.waits.until(
        path.id,
        lambda: call.rows.replies(path.id, receipt.seq),
        enough=lambda so_far: so_far.answered,
        seconds=query.wait,
    )
    shown = [Message.model_validate(message) for message in replies.messages]
    said = {"seq": receipt.seq, "at": receipt.at, "duplicate": receipt.duplicate}
    return Data(data=Exchange(**said, answered=replies.answered, replies=shown))


async def _said(call: Call, conversation: str, body: NewMessage) -> tuple[str, str | None]:
    """(text, value of the button)"""
    if (body.text is None) == (body.choice is None):
        raise RequestError(422, "invalid", "body: send either `text` or `choice`.")
    if body.choice is not None:
        button = await pressed(call.house.gateway, conversation, of=body.choice.of, value=body.choice.value)
        return button.label, button.value
    return words({"text": body.text}, "text"), None


async def _expect_same(call: Call, receipt: Receipt, text: str) -> None:
    first = await call.house.gateway.history_after(receipt.conversation, receipt.seq - 1, limit=1)
    if first and first[0].text != text:
        raise RequestError(422, "key_reused", f"This {IDEMPOTENCY_KEY} was used for another message.")
