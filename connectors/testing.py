"""A gateway in memory, for tests of channels and of what is built on them. It keeps the port's promises
(tests/contract/webchat/gateway_contract.py) and can be told to fail."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from connectors.errors import Refused
from connectors.port import Frame, Inbound, Message, Profile, QuickReply, Receipt, Role, Status, Vote

PROFILE = Profile(
    name={"en": "Kefu", "zh": "客服"},
    languages=("zh", "en"),
    welcome={"en": "How can I help?", "zh": "请问有什么可以帮您？"},
    suggestions={"en": ("Opening hours",), "zh": ("营业时间",)},
)


class MemoryGateway:
    """`reply` is the bot: it gets each new message and returns its answer, or None to stay silent.

    A subscriber with more than `backlog` frames waiting is ended.
    """

    def __init__(
        self,
        *,
        reply: Callable[[Inbound], str | None] = lambda _: None,
        profile: Profile = PROFILE,
        backlog: int = 256,
    ) -> None:
        self._reply = reply
        self._profile = profile
        self._backlog = backlog
        self._messages: defaultdict[str, list[Message]] = defaultdict(list)
        self._statuses: dict[str, Status] = {}
        self._receipts: dict[tuple[str, str, str], Receipt] = {}
        self._subscribers: defaultdict[str, set[_Subscriber]] = defaultdict(set)
        self._troubles: defaultdict[str, deque[Exception]] = defaultdict(deque)
        self.inbound: list[Inbound] = []
        """New messages, as they were received."""
        self.delivered_calls: list[tuple[str, int]] = []

    async def receive(self, inbound: Inbound) -> Receipt:
        self._trouble("receive")
        key = (inbound.channel, inbound.scope, inbound.external_id)
        if key in self._receipts:
            return replace(self._receipts[key], duplicate=True)
        self.inbound.append(inbound)
        message = self.say(
            inbound.conversation, inbound.text, role="customer", external_id=inbound.external_id
        )
        self._receipts[key] = Receipt(inbound.conversation, message.seq, message.at)
        asyncio.get_running_loop().call_soon(self._answer, inbound, message.seq)
        return self._receipts[key]

    async def history_after(self, conversation: str, seq: int, *, limit: int = 200) -> Sequence[Message]:
        self._trouble("history_after")
        return self._messages[conversation][seq : seq + limit] if conversation in self._messages else ()

    async def last_seq(self, conversation: str) -> int:
        self._trouble("last_seq")
        return len(self._messages.get(conversation, ()))

    async def status(self, conversation: str) -> Status:
        self._trouble("status")
        return self._statuses.get(conversation, "bot")

    @asynccontextmanager
    async def subscribe(self, conversation: str) -> AsyncIterator[AsyncIterator[Frame]]:
        self._trouble("subscribe")
        subscriber = _Subscriber(self._backlog)
        self._subscribers[conversation].add(subscriber)
        try:
            yield subscriber
        finally:
            self._subscribers[conversation].discard(subscriber)

    async def feedback(self, conversation: str, seq: int, vote: Vote | None) -> None:
        self._trouble("feedback")
        messages = self._messages.get(conversation, [])
        if not 0 < seq <= len(messages) or messages[seq - 1].role != "bot":
            raise Refused("no_such_message", "There is no such message of the bot.")
        messages[seq - 1] = replace(messages[seq - 1], feedback=vote)
        self.publish(Frame("feedback", conversation, seq=seq, vote=vote))

    async def delivered(self, conversation: str, seq: int) -> None:
        self._trouble("delivered")
        self.delivered_calls.append((conversation, seq))

    def profile(self) -> Profile:
        return self._profile

    # What follows is for tests.

    def say(
        self,
        conversation: str,
        text: str,
        *,
        role: Role = "bot",
        external_id: str | None = None,
        turn: str | None = None,
        attempt: int = 0,
        reply_to: int | None = None,
        quick_replies: tuple[QuickReply, ...] = (),
        publish: bool = True,
    ) -> Message:
        """Commit a message; `publish=False` leaves its frame out, as a lost wake-up would."""
        messages = self._messages[conversation]
        message = Message(
            len(messages) + 1,
            role,
            text,
            datetime.now(UTC),
            external_id=external_id,
            turn=turn,
            attempt=attempt,
            reply_to=reply_to,
            quick_replies=quick_replies,
            rateable=role == "bot",
        )
        messages.append(message)
        if publish:
            self.publish(Frame("final", conversation, seq=message.seq, message=message))
        return message

    def publish(self, frame: Frame) -> None:
        for subscriber in self._subscribers.get(frame.conversation, ()):
            subscriber.put(frame)

    def hand_over(self, conversation: str, status: Status) -> None:
        self._statuses[conversation] = status
        self.publish(Frame("status", conversation, status=status))

    def fail(self, method: str, *problems: Exception) -> None:
        """The next calls of `method` raise these, one each."""
        self._troubles[method].extend(problems)

    def end_subscriptions(self, conversation: str) -> None:
        for subscriber in self._subscribers.get(conversation, ()):
            subscriber.end()

    def subscribers(self, conversation: str) -> int:
        return len(self._subscribers.get(conversation, ()))

    def _trouble(self, method: str) -> None:
        if self._troubles[method]:
            raise self._troubles[method].popleft()

    def _answer(self, inbound: Inbound, seq: int) -> None:
        text = self._reply(inbound)
        if text is None:
            return
        conversation, turn = inbound.conversation, f"turn-{seq}"
        self.publish(Frame("read", conversation, seq=seq))
        self.publish(Frame("typing", conversation))
        for word in text.split():
            self.publish(Frame("delta", conversation, turn=turn, attempt=1, text=f"{word} "))
        self.publish(Frame("typing", conversation, on=False))
        self.say(conversation, text, turn=turn, attempt=1, reply_to=seq)


class _Subscriber:
    def __init__(self, backlog: int) -> None:
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._backlog = backlog
        self._ended = False

    def put(self, frame: Frame) -> None:
        if self._frames.qsize() >= self._backlog:
            self.end()
        if not self._ended:
            self._frames.put_nowait(frame)

    def end(self) -> None:
        self._ended = True
        while not self._frames.empty():
            self._frames.get_nowait()
        self._frames.put_nowait(None)

    def __aiter__(self) -> AsyncIterator[Frame]:
        return self

    async def __anext__(self) -> Frame:
        frame = await self._frames.get()
        if frame is None:
            raise StopAsyncIteration
        return frame
