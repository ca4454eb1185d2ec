"""So many at once, so many waiting, in the order in which they came; one more is refused at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.errors import GeneratorError


class Gate:
    def __init__(self, in_flight: int, waiting: int) -> None:
        self._places = asyncio.Semaphore(in_flight)
        self._most_waiting = waiting
        self._waiting = 0

    @asynccontextmanager
    async def place(self, *, patience: float) -> AsyncIterator[None]:
        """One of the places. Raises GeneratorError where too many wait, or none was free for `patience` seconds."""
        if self._places.locked() and self._waiting >= self._most_waiting:
            raise GeneratorError("Too many answers are waiting for the generator server.")
        self._waiting += 1
        try:
            async with asyncio.timeout(patience):
                await self._places.acquire()
        except TimeoutError:
            raise GeneratorError("Other answers kept the generator server busy for too long.") from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._places.release()
