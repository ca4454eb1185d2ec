"""What a channel and the engine say to one another. Connectors know this file and nothing of the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from aiohttp import web

Role = Literal["customer", "bot", "agent", "system"]
Status = Literal["bot", "waiting", "human", "closed"]
Vote = Literal["up", "down"]

MAX_TEXT = 4_000
"""Characters of one customer message; longer is refused, never cut silently."""


@dataclass(frozen=True, slots=True)
class QuickReply:
    """A button: `label` is shown, `value` is what the engine gets back in `Inbound.choice`."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a statement comes from. `mark` is the number shown in the text as [mark]."""

    mark: int
    title: str
    snippet: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """One customer message, parsed and verified by its channel.

    Unique on (channel, scope, external_id): the same three again is the same message, whatever else it says.
    """

    channel: str
    """The channel INSTANCE (an account at a provider, a web site), not the kind of channel."""
    scope: str
    """What external ids are unique within: a provider's account, a web session."""
    external_id: str
    conversation: str
    """Public, unguessable id of the conversation (at least 128 random bits)."""
    text: str
    choice: str | None = None
    """`QuickReply.value` of the button that was pressed; `text` then is its label."""
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Returned after the commit: the message is stored and will be answered."""

    conversation: str
    seq: int
    at: datetime
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A committed row of a conversation. `seq` counts from 1 without gaps within the conversation."""

    seq: int
    role: Role
    text: str
    at: datetime
    external_id: str | None = None
    turn: str | None = None
    attempt: int = 0
    reply_to: int | None = None
    """Number of the customer's message that this one answers. Of several replies to one message, those of the
    role `system` come before the answer (it takes longer), all others are committed together."""
    quick_replies: tuple[QuickReply, ...] = ()
    citations: tuple[Citation, ...] = ()
    feedback: Vote | None = None
    rateable: bool = False
    """True where thumbs make sense: an answer, not a greeting."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a live channel shows as it happens.

    `delta` and `withdraw` are provisional, named by (turn, attempt); `final` carries a committed message, and
    replaces the deltas of its (turn, attempt). `read` and `typing` come before, `status` and `feedback` after.
    """

    kind: Literal["typing", "read", "delta", "withdraw", "final", "status", "feedback"]
    conversation: str
    seq: int = 0
    turn: str = ""
    attempt: int = 0
    text: str = ""
    on: bool = True
    message: Message | None = None
    status: Status = "bot"
    vote: Vote | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """How the bot presents itself; texts by language code."""

    name: dict[str, str]
    languages: tuple[str, ...]
    welcome: dict[str, str]
    suggestions: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outbound:
    """A reply for a push channel. `idempotency_key` is the same at each attempt."""

    channel: str
    conversation: str
    message: Message
    idempotency_key: str


class Gateway(Protocol):
    """The engine as channels see it. Implemented by `bot.engine`, injected by `bot.app`.

    Raises `connectors.errors.ConnectorError` subclasses only.
    """

    async def receive(self, inbound: Inbound) -> Receipt:
        """Store the message; returns after the commit. Raises `Refused` or `Overloaded`."""
        ...

    async def history_after(self, conversation: str, seq: int, *, limit: int = 200) -> Sequence[Message]:
        """Committed messages with a number above `seq`, oldest first. Unknown conversation: empty."""
        ...

    async def last_seq(self, conversation: str) -> int:
        """Number of the newest committed message; 0 where there is none."""
        ...

    async def status(self, conversation: str) -> Status: ...

    def subscribe(self, conversation: str) -> AbstractAsyncContextManager[AsyncIterator[Frame]]:
        """Frames from now on. A subscriber that does not keep up is ended; it then reads the history."""
        ...

    async def feedback(self, conversation: str, seq: int, vote: Vote | None) -> None:
        """Thumbs for a bot message; None takes it back. Raises `Refused` where there is no such message."""
        ...

    async def delivered(self, conversation: str, seq: int) -> None:
        """The customer's screen has shown everything up to `seq`."""
        ...

    def profile(self) -> Profile: ...


class Channel(Protocol):
    """One way in and out. Live channels subscribe; push channels get `send`."""

    @property
    def instance(self) -> str: ...

    def routes(self) -> Sequence[web.RouteDef]: ...

    async def close(self) -> None:
        """End open connections kindly; called once when the server stops."""
        ...
