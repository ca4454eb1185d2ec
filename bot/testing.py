"""Shipped fakes of the bot's ports: for tests here, and for whoever builds on Kefu."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from bot.errors import GeneratorError
from bot.inference.generator import Prompt, refuse_hopeless, within


class FakeClock:
    """A `Clock` that stands still until it is moved."""

    def __init__(self, start: datetime = datetime(2026, 1, 5, 9, tzinfo=UTC)) -> None:
        self._start = start
        self._passed = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def advance(self, seconds: float) -> None:
        """Time never runs backwards."""
        if seconds < 0:
            raise ValueError("A clock cannot be moved back.")
        self._passed += seconds


class ScriptedGenerator:
    """A `Generator` that says what it was told to say, to every prompt.

    Without pieces it says the best passage and cites it. After the pieces it raises `error`, or with `hangs`
    says nothing more until its deadline. What happened to it is kept in `prompts`, `abandoned` and `closed`.
    """

    name = "scripted"

    def __init__(self, *pieces: str, error: GeneratorError | None = None, hangs: bool = False) -> None:
        self._pieces = pieces
        self._error = error
        self._hangs = hangs
        self.prompts: list[Prompt] = []
        self.abandoned = 0
        """Streams that were closed or cancelled before their end."""
        self.closed = False

    async def open(self) -> None:
        return None

    async def stream(self, prompt: Prompt, *, deadline: float) -> AsyncGenerator[str, None]:
        self.prompts.append(prompt)
        refuse_hopeless(prompt, deadline)
        async with aclosing(within(self._say(prompt), deadline)) as pieces:
            async for piece in pieces:
                yield piece

    async def close(self) -> None:
        self.closed = True

    async def _say(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        try:
            for piece in self._pieces or (prompt.passages[0].text, f" [{prompt.passages[0].mark}]"):
                yield piece
            if self._hangs:
                await asyncio.Event().wait()
        except (GeneratorExit, asyncio.CancelledError):
            self.abandoned += 1
            raise
        if self._error is not None:
            raise self._error
