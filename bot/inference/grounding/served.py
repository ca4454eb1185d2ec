"""A verifier on OpenAI-compatible servers: a model on a GPU reads in a blink what takes seconds on a core."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import aclosing

from bot.errors import GeneratorError
from bot.inference.completions import Chat
from bot.inference.first_word import Words, log_odds
from bot.inference.generator import Bill
from bot.inference.grounding.verifier import NO, YES, asked, scale
from bot.inference.servers import Servers
from bot.inference.upstream import Bounds, Upstream
from bot.observer import UNOBSERVED, Observer

log = logging.getLogger(__name__)


class ServedVerifier:
    """Asks for one token, with the probabilities of what it could have been (`logprobs`). `upstreams`: as
    OpenAIGenerator's. `taught`: their model has an adapter of `kefu train BOT --task verifier`.
    """

    counted = True

    def __init__(
        self,
        upstreams: Sequence[Upstream],
        bounds: Bounds | None = None,
        *,
        taught: bool = False,
        observer: Observer = UNOBSERVED,
    ) -> None:
        self._servers = Servers(upstreams, bounds, observer=observer)
        self._taught, self._scale = taught, scale(taught=taught)
        self.name = self._servers.name

    async def open(self) -> None:
        """That a server answers is not tried."""
        await self._servers.open()

    async def evidence(
        self, question: str, passage: str, *, title: str = "", deadline: float, bill: Bill | None = None
    ) -> float | None:
        words: Words = []
        chat = Chat(asked(question, passage, title, taught=self._taught), 1, words)
        if (left := deadline - time.monotonic()) <= 0:
            return None
        try:
            async with aclosing(self._servers.say(chat, left, bill)) as pieces:
                async for _ in pieces:
                    pass
        except GeneratorError as error:
            log.info("no server read an answer: %s", error.message)
            return None
        odds = log_odds(words, YES, NO)
        return None if odds is None else self._scale.evidence(odds)

    async def close(self) -> None:
        await self._servers.close()
