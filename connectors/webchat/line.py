"""What every connection has, over a WebSocket or a stream of events: a queue that is written, tasks, one goodbye."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from functools import partial
from typing import Any, NoReturn, TypeVar

from connectors.trouble import told
from connectors.webchat import opening
from connectors.webchat.feed import Feed
from connectors.webchat.goodbye import INTERNAL, Goodbye
from connectors.webchat.house import House
from connectors.webchat.outgoing import Outgoing
from connectors.webchat.tokens import Session

_E = TypeVar("_E", bound=Exception)


class Line(ABC):
    """`run` returns when the line is closed; it does not raise for anything a client or the engine does."""

    def __init__(self, house: House, *, transport: asyncio.Transport) -> None:
        self.house = house
        options = house.options
        self.out = Outgoing(self._write, room=options.queue, patience=options.patience, at_once=self._at_once)
        self.tasks = asyncio.TaskGroup()
        self._transport = transport

    async def run(self, *, turned_away: Goodbye | None = None) -> None:
        writer = asyncio.create_task(self.out.run())
        try:
            await self._part(turned_away or await self._stay(), writer)
        finally:
            writer.cancel()
            await asyncio.wait([writer])

    def leave(self, goodbye: Goodbye) -> None:
        """From outside: what is queued goes first."""
        saying = _say(goodbye)
        try:
            self.tasks.create_task(saying)
        except RuntimeError:  # leaving already
            saying.close()

    @abstractmethod
    def _converse(self) -> Coroutine[Any, Any, NoReturn]:
        """Until cancelled. Raises `Goodbye`."""

    @abstractmethod
    async def _write(self, data: bytes, seq: int) -> None:
        """Raises ConnectionError where the client is gone."""

    def _at_once(self, data: bytes) -> bool:
        """Whether `_write` of it would be done without any waiting."""
        return False

    @abstractmethod
    async def _close(self, goodbye: Goodbye) -> None: ...

    async def _follow(self, session: Session, *, last_seq: int) -> Feed:
        """Shows what happens in the conversation from here on; returns when the client is welcomed."""
        house = self.house
        feed = Feed(
            house.gateway,
            session.conversation,
            instance=house.instance,
            last_seq=last_seq,
            page=house.options.page,
            greet=partial(opening.greeting, house, session),
            send=self.out.send,
        )
        self.tasks.create_task(feed.run())
        await feed.greeted.wait()
        return feed

    async def _stay(self) -> Goodbye:
        goodbye = Goodbye()
        try:
            async with self.tasks:
                await self._converse()
        except* Goodbye as group:
            goodbye = _first(group, Goodbye)
        except* Exception as group:
            told(_first(group, Exception), instance=self.house.instance, doing="a connection")
            goodbye = Goodbye(INTERNAL, "internal error")
        return goodbye

    async def _part(self, goodbye: Goodbye, writer: asyncio.Task[None]) -> None:
        try:
            async with asyncio.timeout(self.house.options.close_within):
                await self.out.finish(goodbye.last)
                await asyncio.wait([writer])
                await self._close(goodbye)
        except (TimeoutError, ConnectionError):
            pass  # nobody is there to be told
        finally:
            if self._transport.get_write_buffer_size():
                self._transport.abort()  # a close that waits for such a reader may wait for minutes


async def _say(goodbye: Goodbye) -> NoReturn:
    raise goodbye


def _first(group: BaseExceptionGroup[_E], kind: type[_E]) -> _E:
    return next(error for error in group.exceptions if isinstance(error, kind))
