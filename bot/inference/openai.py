"""A generator behind any OpenAI-compatible HTTP server: vLLM on GPUs, llama.cpp, a hosted one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from bot.errors import GeneratorError
from bot.inference.generator import Prompt, within
from bot.inference.instructions import as_chat

if TYPE_CHECKING:
    from openai import AsyncOpenAI

MAX_TOKENS = 400
CONNECT_S = 3.0


class OpenAIGenerator:
    """`/v1/chat/completions` with streaming, temperature 0. One connection pool for the life of the server."""

    def __init__(self, url: str, model: str, *, key: str = "none") -> None:
        self._url, self._model, self._key = url, model, key
        self._client: AsyncOpenAI | None = None
        self._opening = asyncio.Lock()
        self.name = f"openai:{model}"

    async def stream(self, prompt: Prompt, *, deadline: float) -> AsyncIterator[str]:
        from openai import OpenAIError

        said = False
        try:
            async for piece in within(self._pieces(prompt), deadline):
                said = said or bool(piece.strip())
                yield piece
        except OpenAIError as error:
            raise GeneratorError(f"The generator server failed: {type(error).__name__}.") from error
        if not said:
            raise GeneratorError("The generator said nothing.")

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def _pieces(self, prompt: Prompt) -> AsyncIterator[str]:
        client = await self._open()
        messages: Any = as_chat(prompt)
        stream = await client.chat.completions.create(
            model=self._model, messages=messages, stream=True, temperature=0, max_tokens=MAX_TOKENS
        )
        async with stream:
            async for chunk in stream:
                if chunk.choices and (text := chunk.choices[0].delta.content):
                    yield text

    async def _open(self) -> AsyncOpenAI:
        """The library takes a second to import and reads certificates: off the loop, once."""
        async with self._opening:
            if self._client is None:
                self._client = await asyncio.to_thread(self._connect)
            return self._client

    def _connect(self) -> AsyncOpenAI:
        from openai import AsyncOpenAI, Timeout

        timeout = Timeout(None, connect=CONNECT_S)
        return AsyncOpenAI(base_url=self._url, api_key=self._key, max_retries=0, timeout=timeout)
