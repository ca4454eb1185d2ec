"""What happens in a conversation, for one page: history first, then live, again after an interruption."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NoReturn

from connectors.port import Frame, Gateway, Status
from connectors.trouble import told
from connectors.webchat import render
from connectors.webchat.goodbye import TRY_AGAIN, Goodbye
from connectors.webchat.outgoing import Write
from connectors.webchat.timeline import Timeline

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 2.0
"""Seconds before a subscription is opened again; doubled while nothing comes through."""
FAILURES = 5
"""In a row; then the client is asked to come back later."""


class Feed:
    """`greet` renders the welcome from (newest seq, status); `send` waits for room or raises `Goodbye`."""

    def __init__(
        self,
        gateway: Gateway,
        conversation: str,
        *,
        instance: str,
        last_seq: int,
        page: int,
        greet: Callable[[int, Status], bytes],
        send: Write,
    ) -> None:
        self._gateway = gateway
        self._conversation = conversation
        self._instance = instance
        self._page = page
        self._greet = greet
        self._send = send
        self.timeline = Timeline(last_seq)
        self.greeted = asyncio.Event()
        self._pause = FIRST_PAUSE
        self._failures = 0

    async def run(self) -> NoReturn:
        """Until cancelled. Raises `Goodbye` when the engine cannot be followed."""
        while True:
            try:
                await self._follow()
            except Goodbye:
                raise
            except Exception as problem:
                self._failed(problem)
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _failed(self, problem: Exception) -> None:
        error = told(problem, instance=self._instance, doing="following a conversation")
        self._failures += 1
        if self._failures >= FAILURES or not self.greeted.is_set():
            raise Goodbye(TRY_AGAIN, "try again later", last=render.error(error)) from None

    async def _follow(self) -> None:
        # Subscribed before the history is read: what is committed in between comes both ways, never neither.
        async with self._gateway.subscribe(self._conversation) as frames:
            await self._open()
            async for frame in frames:
                self._pause, self._failures = FIRST_PAUSE, 0
                await self._show(frame)

    async def _open(self) -> None:
        seq = await self._gateway.last_seq(self._conversation)
        status = await self._gateway.status(self._conversation)
        if self.greeted.is_set():
            for frame in self.timeline.interrupted(self._conversation):
                await self._send(render.frame(frame), 0)
            await self._send(render.status(status), 0)
        else:
            if seq < self.timeline.last:  # another server's page, or an erased conversation
                self.timeline.last = 0
            await self._send(self._greet(seq, status), 0)
            self.greeted.set()
        await self._catch_up(seq)

    async def _catch_up(self, seq: int) -> None:
        while self.timeline.last < seq:
            page = await self._gateway.history_after(self._conversation, self.timeline.last, limit=self._page)
            fresh = [message for message in page if self.timeline.admits_message(message)]
            if not fresh:
                return
            for message in fresh:
                await self._send(render.final(message), message.seq)

    async def _show(self, frame: Frame) -> None:
        if frame.kind == "final" and frame.message is not None:
            await self._catch_up(frame.message.seq - 1)
        if self.timeline.admits(frame):
            await self._send(render.frame(frame), frame.message.seq if frame.message else 0)
