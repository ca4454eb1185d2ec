"""One connection's life: hello, then a reader, a writer and a feed until one of them says goodbye."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Literal, NoReturn, TypeAlias, TypeVar

from aiohttp import WSMsgType, web

from connectors.webchat import opening, render
from connectors.webchat.acks import Acks
from connectors.webchat.commands import Commands
from connectors.webchat.feed import Feed
from connectors.webchat.frames import FrameError, Hello
from connectors.webchat.goodbye import INTERNAL, Goodbye
from connectors.webchat.house import House
from connectors.webchat.outgoing import Outgoing
from connectors.webchat.parse import parse
from connectors.webchat.trouble import told

Socket: TypeAlias = web.WebSocketResponse[Literal[False]]
"""Prepared with `decode_text=False`: text arrives as bytes."""

HELLOS = 5
"""Frames in which a client may get its hello right."""

_E = TypeVar("_E", bound=Exception)


class Connection:
    """`run` returns when the socket is closed; it does not raise for anything a client or the engine does."""

    def __init__(self, socket: Socket, house: House, *, peer: str, transport: asyncio.Transport) -> None:
        self._socket = socket
        self._house = house
        self._peer = peer
        self._transport = transport
        self._out = Outgoing(socket, room=house.options.queue, patience=house.options.patience)
        self._tasks = asyncio.TaskGroup()

    async def run(self, *, turned_away: Goodbye | None = None) -> None:
        writer = asyncio.create_task(self._out.run())
        try:
            await self._part(turned_away or await self._stay(), writer)
        finally:
            writer.cancel()
            await asyncio.wait([writer])

    def leave(self, goodbye: Goodbye) -> None:
        """From outside: what is queued goes first."""
        saying = _say(goodbye)
        try:
            self._tasks.create_task(saying)
        except RuntimeError:  # leaving already
            saying.close()

    async def _stay(self) -> Goodbye:
        goodbye = Goodbye()
        try:
            async with self._tasks:
                await self._converse()
        except* Goodbye as group:
            goodbye = _first(group, Goodbye)
        except* Exception as group:
            told(_first(group, Exception), instance=self._house.instance, doing="a connection")
            goodbye = Goodbye(INTERNAL, "internal error")
        return goodbye

    async def _converse(self) -> NoReturn:
        house, options = self._house, self._house.options
        hello = await self._hello()
        session = opening.session_of(hello, house)
        conversation = session.conversation
        feed = Feed(
            house.gateway,
            conversation,
            instance=house.instance,
            last_seq=hello.last_seq,
            page=options.page,
            greet=partial(opening.greeting, house, session),
            send=self._out.send,
        )
        acks = Acks(house.gateway, conversation, instance=house.instance, every=options.ack_every)
        commands = Commands(
            house,
            session,
            peer=self._peer,
            locale=opening.locale_of(hello, house),
            acknowledge=lambda seq: acks.note(min(seq, feed.timeline.last), tasks=self._tasks),
        )
        self._tasks.create_task(feed.run())
        await feed.greeted.wait()
        try:
            await self._read(commands, who=session.id)
        finally:
            await acks.flush()

    async def _hello(self) -> Hello:
        try:
            async with asyncio.timeout(self._house.options.hello_within):
                for _ in range(HELLOS):
                    if hello := await self._try_hello():
                        return hello
        except TimeoutError:
            pass
        raise opening.no_hello()

    async def _try_hello(self) -> Hello | None:
        try:
            frame = parse(await self._receive())
        except FrameError as problem:
            await self._out.send(render.error(problem, ref=problem.ref))
            return None
        if isinstance(frame, Hello):
            return frame
        raise opening.no_hello()

    async def _read(self, commands: Commands, *, who: str) -> NoReturn:
        while True:
            answer = await commands.answer(await self._receive())
            if answer is not None:
                await self._out.send(answer)
            if pause := self._house.limits.pause(who):
                await asyncio.sleep(pause)

    async def _receive(self) -> bytes:
        message = await self._socket.receive()
        if message.type is not WSMsgType.TEXT and message.type is not WSMsgType.BINARY:
            raise Goodbye
        data: bytes = message.data
        return data

    async def _part(self, goodbye: Goodbye, writer: asyncio.Task[None]) -> None:
        try:
            async with asyncio.timeout(self._house.options.close_within):
                await self._out.finish(goodbye.last)
                await asyncio.wait([writer])
                await self._socket.close(code=goodbye.code, message=goodbye.reason.encode())
        except TimeoutError:
            pass
        finally:
            if self._transport.get_write_buffer_size():
                self._transport.abort()  # a close that waits for such a reader may wait for minutes


async def _say(goodbye: Goodbye) -> NoReturn:
    raise goodbye


def _first(group: BaseExceptionGroup[_E], kind: type[_E]) -> _E:
    return next(error for error in group.exceptions if isinstance(error, kind))
