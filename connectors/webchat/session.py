"""One WebSocket's life: hello, then a reader, a writer and a feed until one of them says goodbye."""

from __future__ import annotations

import asyncio
from typing import Literal, NoReturn, TypeAlias

from aiohttp import WSMsgType, web

from connectors.errors import Malformed
from connectors.reading import spoken
from connectors.webchat import opening, render
from connectors.webchat.acks import Acks
from connectors.webchat.commands import Commands
from connectors.webchat.frames import Hello
from connectors.webchat.goodbye import UNAUTHORISED, Goodbye
from connectors.webchat.house import House
from connectors.webchat.line import Line
from connectors.webchat.parse import parse
from connectors.webchat.tokens import Session, SessionError

Socket: TypeAlias = web.WebSocketResponse[Literal[False]]
"""Prepared with `decode_text=False`: text arrives as bytes."""

AT_ONCE = 16 * 1024
"""Bytes of a frame that an empty buffer has room for without any doubt."""
HELLOS = 5
"""Frames in which a client may get its hello right."""


class Connection(Line):
    def __init__(self, socket: Socket, house: House, *, peer: str, transport: asyncio.Transport) -> None:
        super().__init__(house, transport=transport)
        self._socket = socket
        self._peer = peer

    async def _write(self, data: bytes, seq: int) -> None:
        await self._socket.send_frame(data, WSMsgType.TEXT)

    def _at_once(self, data: bytes) -> bool:
        # aiohttp waits where the transport's buffer is full, by default of 64 kB.
        return len(data) <= AT_ONCE and not self._transport.get_write_buffer_size()

    async def _close(self, goodbye: Goodbye) -> None:
        await self._socket.close(code=goodbye.code, message=goodbye.reason.encode())

    async def _converse(self) -> NoReturn:
        house = self.house
        hello = await self._hello()
        session = self._session_of(hello)
        feed = await self._follow(session, last_seq=hello.last_seq)
        every = house.options.ack_every
        acks = Acks(house.gateway, session.conversation, instance=house.instance, every=every)
        commands = Commands(
            house,
            session,
            peer=self._peer,
            locale=spoken(hello.locale, house.gateway.profile().languages),
            acknowledge=lambda seq: acks.note(min(seq, feed.timeline.last), tasks=self.tasks),
        )
        try:
            await self._read(commands, who=session.id)
        finally:
            await acks.flush()

    def _session_of(self, hello: Hello) -> Session:
        try:
            return opening.session_of(hello, self.house)
        except SessionError as problem:
            raise Goodbye(UNAUTHORISED, problem.code, last=render.error(problem)) from None

    async def _hello(self) -> Hello:
        try:
            async with asyncio.timeout(self.house.options.hello_within):
                for _ in range(HELLOS):
                    if hello := await self._try_hello():
                        return hello
        except TimeoutError:
            pass
        raise opening.no_hello()

    async def _try_hello(self) -> Hello | None:
        try:
            frame = parse(await self._receive())
        except Malformed as problem:
            await self.out.send(render.error(problem))
            return None
        if isinstance(frame, Hello):
            return frame
        raise opening.no_hello()

    async def _read(self, commands: Commands, *, who: str) -> NoReturn:
        while True:
            answer = await commands.answer(await self._receive())
            if answer is not None:
                await self.out.send(answer)
            if pause := self.house.limits.pause(who):
                await asyncio.sleep(pause)

    async def _receive(self) -> bytes:
        message = await self._socket.receive()
        if message.type is not WSMsgType.TEXT and message.type is not WSMsgType.BINARY:
            raise Goodbye
        data: bytes = message.data
        return data
