"""`Gateway.delivered`, called seldom: once for all acknowledgements of half a second."""

from __future__ import annotations

import asyncio

from connectors.port import Gateway
from connectors.trouble import told


class Acks:
    def __init__(self, gateway: Gateway, conversation: str, *, instance: str, every: float) -> None:
        self._gateway = gateway
        self._conversation = conversation
        self._instance = instance
        self._every = every
        self._seen = 0
        self._told = 0
        self._due: asyncio.Task[None] | None = None

    async def note(self, seq: int, *, tasks: asyncio.TaskGroup) -> None:
        """Everything up to `seq` was shown. `tasks` owns the delayed call; this one does not wait for it."""
        self._seen = max(self._seen, seq)
        if self._seen > self._told and self._due is None:
            self._due = tasks.create_task(self._later())

    async def flush(self) -> None:
        """Never raises: the next acknowledgement covers a lost one."""
        seen = self._seen
        if seen <= self._told:
            return
        try:
            await self._gateway.delivered(self._conversation, seen)
            self._told = seen
        except Exception as problem:
            told(problem, instance=self._instance, doing="acknowledging")

    async def _later(self) -> None:
        await asyncio.sleep(self._every)
        await self.flush()
        self._due = None
