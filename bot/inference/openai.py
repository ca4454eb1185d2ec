"""A generator behind OpenAI-compatible HTTP servers: vLLM on GPUs, llama.cpp, a hosted one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from bot.inference.completions import Chat
from bot.inference.generator import Bill, FollowUp, Prompt, refuse_hopeless
from bot.inference.instructions import as_chat, as_rewriting
from bot.inference.servers import Servers
from bot.inference.upstream import Bounds, Upstream
from bot.observer import UNOBSERVED, Observer

TOKENS_A_SENTENCE = 100


class OpenAIGenerator:
    """`upstreams`: the first that works is asked; at least one."""

    def __init__(
        self, upstreams: Sequence[Upstream], bounds: Bounds | None = None, *, observer: Observer = UNOBSERVED
    ) -> None:
        self._servers = Servers(upstreams, bounds, observer=observer)
        self.name = self._servers.name

    async def open(self) -> None:
        await self._servers.open()

    async def stream(
        self, prompt: Prompt, *, deadline: float, bill: Bill | None = None
    ) -> AsyncGenerator[str, None]:
        refuse_hopeless(prompt, deadline)
        chat = Chat(as_chat(prompt), TOKENS_A_SENTENCE * prompt.sentences)
        async with aclosing(self._servers.say(chat, deadline, bill)) as pieces:
            async for piece in pieces:
                yield piece

    async def rewrite(self, asked: FollowUp, *, deadline: float, bill: Bill | None = None) -> str:
        """As `bot.inference.generator.Rewriter` has it."""
        chat = Chat(as_rewriting(asked), TOKENS_A_SENTENCE)
        async with aclosing(self._servers.say(chat, deadline, bill)) as pieces:
            return "".join([piece async for piece in pieces])

    async def close(self) -> None:
        await self._servers.close()
