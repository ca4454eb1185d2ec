"""A generator behind any OpenAI-compatible HTTP server: vLLM on GPUs, llama.cpp, a hosted one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from bot.errors import GeneratorError
from bot.inference.generator import Prompt, refuse_hopeless, within
from bot.inference.instructions import as_chat

if TYPE_CHECKING:
    from openai import AsyncOpenAI, AsyncStream
    from openai.types.chat import ChatCompletionChunk

MAX_TOKENS = 400
CONNECT_S = 3.0
PROBE_S = 5.0
_HINTS = {
    401: "Check KEFU_GENERATOR_KEY.",
    403: "Check KEFU_GENERATOR_KEY.",
    404: "Check KEFU_GENERATOR_URL (it ends in /v1) and KEFU_GENERATOR_MODEL.",
    429: "It takes no more requests at the moment.",
}


class OpenAIGenerator:
    """`/v1/chat/completions` with streaming, temperature 0. One connection pool for the life of the server.

    `url`: base address up to `/v1`. Nothing is retried: the caller has a stored answer.
    """

    def __init__(self, url: str, model: str, *, key: str | None = None, max_tokens: int = MAX_TOKENS) -> None:
        self._url, self._model, self._key, self._max_tokens = url, model, key, max_tokens
        self._client: AsyncOpenAI | None = None
        self._opening = asyncio.Lock()
        self._closed = False
        self.name = f"openai:{model}"

    async def open(self) -> None:
        await self._connected()

    async def stream(self, prompt: Prompt, *, deadline: float) -> AsyncGenerator[str, None]:
        refuse_hopeless(prompt, deadline)
        said = False
        async with aclosing(within(self._understood(prompt), deadline)) as pieces:
            async for piece in pieces:
                said = said or bool(piece.strip())
                yield piece
        if not said:
            raise GeneratorError("The generator server said nothing.")

    async def probe(self) -> bool:
        """Whether the server, which takes the key, lists the model; a server that lists none is asked for a word.

        Within `PROBE_S` seconds. Raises GeneratorError as an answer would.
        """
        client = (await self._connected()).with_options(timeout=PROBE_S)
        failure: GeneratorError | None = None
        try:
            async with asyncio.timeout(PROBE_S):
                try:
                    return self._model in [model.id async for model in client.models.list()]
                except Exception as error:
                    if getattr(error, "status_code", None) not in (404, 405, 501):
                        raise
                message: Any = [{"role": "user", "content": "Hello"}]
                await client.chat.completions.create(model=self._model, messages=message, max_tokens=1)
                return True
        except TimeoutError:
            failure = GeneratorError(f"The generator server said nothing within {PROBE_S:.0f} s.")
        except Exception as error:
            failure = _plain(error)
        raise failure

    async def close(self) -> None:
        async with self._opening:
            self._closed = True
            client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _understood(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """Whatever goes wrong between here and the server becomes one plain error.

        Raised outside of the handler: what libraries say may repeat the request; chained errors are logged.
        """
        failure: GeneratorError | None = None
        try:
            async with aclosing(self._pieces(prompt)) as pieces:
                async for piece in pieces:
                    yield piece
        except GeneratorError:
            raise
        except Exception as error:
            failure = _plain(error)
        if failure is not None:
            raise failure

    async def _pieces(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        client = await self._connected()
        messages: Any = as_chat(prompt)
        stream: AsyncStream[ChatCompletionChunk] = await client.chat.completions.create(
            model=self._model, messages=messages, stream=True, temperature=0, max_tokens=self._max_tokens
        )
        finished = False
        async with stream:
            async for chunk in stream:
                for choice in (chunk.choices or ())[:1]:
                    finished = finished or choice.finish_reason is not None
                    if isinstance(text := choice.delta.content, str) and text:
                        yield text
        if not finished:
            raise GeneratorError("The generator server broke off in the middle of an answer.")

    async def _connected(self) -> AsyncOpenAI:
        """The library takes a second to import and reads certificates: off the loop, once."""
        async with self._opening:
            if self._closed:
                raise GeneratorError("The generator is closed.")
            if self._client is None:
                client = await asyncio.to_thread(self._connect)
                if isinstance(client, GeneratorError):
                    raise client
                self._client = client
            return self._client

    def _connect(self) -> AsyncOpenAI | GeneratorError:
        from openai import AsyncOpenAI, Timeout

        timeout = Timeout(None, connect=CONNECT_S)
        try:
            client = AsyncOpenAI(
                base_url=self._url, api_key=self._key or "none", max_retries=0, timeout=timeout
            )
        except Exception as error:
            return _plain(error)
        _ = client.chat.completions  # imported at first use: better here than on the loop
        return client


def _plain(error: Exception) -> GeneratorError:
    """What kind of failure it was, never its text: that is the server's, and may repeat key or question."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        hint = _HINTS.get(status, "See the log of that server.")
        return GeneratorError(f"The generator server answered with status {status}.", hint=hint)
    kind = type(error).__name__
    if kind in ("APIConnectionError", "APITimeoutError"):
        hint = "Is it running at KEFU_GENERATOR_URL?"
        return GeneratorError("The connection to the generator server failed.", hint=hint)
    if isinstance(error, json.JSONDecodeError):
        return GeneratorError("The generator server sent something that is not JSON.")
    return GeneratorError(f"The generator server failed ({kind}).")
