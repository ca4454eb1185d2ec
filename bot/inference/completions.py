"""One server that speaks OpenAI's chat API: `/v1/chat/completions` with streaming, temperature 0.

Whatever happens between here and there becomes one `UpstreamError`, which repeats neither a key nor what people
wrote. It is raised outside of the handler: what libraries say may repeat the request; chained errors are logged.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.errors import GeneratorError
from bot.inference.first_word import LIKELIEST, Words
from bot.inference.heard import Heard
from bot.inference.upstream import Bounds, Upstream, UpstreamError, garbage, plain

if TYPE_CHECKING:
    from openai import AsyncOpenAI, AsyncStream
    from openai.types.chat import ChatCompletionChunk

PROBE_S = 5.0
TAIL_S = 0.25
"""A whole answer waits no longer than this for the server's count of tokens."""


@dataclass(frozen=True, slots=True)
class Chat:
    """What a server is asked: `messages` of the API, and how many `tokens` the answer may have at most."""

    messages: Sequence[dict[str, str]]
    tokens: int
    words: Words | None = None
    """Where it is given: filled with what the answer could begin with. All else of the answer is unimportant then."""


class ChatServer:
    """One connection pool for the life of the bot. Asks once: who retries knows what time is left."""

    def __init__(self, upstream: Upstream, bounds: Bounds) -> None:
        self.upstream, self._bounds = upstream, bounds
        self._client: AsyncOpenAI | None = None
        self._opening = asyncio.Lock()
        self._closed = False

    async def open(self) -> None:
        await self._connected()

    async def say(self, chat: Chat, heard: Heard) -> AsyncGenerator[str, None]:
        """Pieces of text, none empty; `heard` is kept up to date. Raises UpstreamError, also at the end of what was
        said where that is no whole answer."""
        failure: UpstreamError | None = None
        try:
            async with aclosing(self._pieces(chat, heard)) as pieces:
                async for piece in pieces:
                    yield piece
        except GeneratorError:
            raise
        except Exception as error:
            failure = plain(error)
        if failure is not None:
            raise failure

    async def probe(self) -> bool:
        """Whether the server, which takes the key, lists the model; a server that lists none is asked for a word.

        Within `PROBE_S` seconds. Raises GeneratorError as an answer would.
        """
        model = self.upstream.model
        client = (await self._connected()).with_options(timeout=PROBE_S)
        failure: GeneratorError | None = None
        try:
            async with asyncio.timeout(PROBE_S):
                try:
                    return model in [listed.id async for listed in client.models.list()]
                except Exception as error:
                    if getattr(error, "status_code", None) not in (404, 405, 501):
                        raise
                message: Any = [{"role": "user", "content": "Hello"}]
                await client.chat.completions.create(model=model, messages=message, max_tokens=1)
                return True
        except TimeoutError:
            failure = GeneratorError(f"The generator server said nothing within {PROBE_S:.0f} s.")
        except Exception as error:
            failure = plain(error)
        raise failure

    async def close(self) -> None:
        async with self._opening:
            self._closed = True
            client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _pieces(self, chat: Chat, heard: Heard) -> AsyncGenerator[str, None]:
        client = await self._connected()
        messages: Any = chat.messages
        more: dict[str, Any] = {} if chat.words is None else {"logprobs": True, "top_logprobs": LIKELIEST}
        stream: AsyncStream[ChatCompletionChunk] = await client.chat.completions.create(
            model=self.upstream.model,
            messages=messages,
            stream=True,
            stream_options={"include_usage": True},
            temperature=0,
            max_tokens=min(self._bounds.max_tokens, chat.tokens),
            **more,
        )
        async with stream:
            kind = stream.response.headers.get("content-type", "")
            if kind.startswith(("text/html", "application/json")):
                raise garbage("a page where a stream was asked for: does KEFU_GENERATOR_URL end in /v1?")
            while not heard.finished and (chunk := await anext(stream, None)) is not None:
                if text := heard.take(chunk):
                    yield text
            if heard.finished:
                await _tail(stream, heard)
        heard.conclude()

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
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Timeout

        from bot.inference.bounded import bound

        timeout = Timeout(None, connect=self._bounds.connect_s)
        try:
            client = AsyncOpenAI(
                base_url=self.upstream.url,
                api_key=self.upstream.key or "none",
                max_retries=0,
                timeout=timeout,
                default_headers={"Accept-Encoding": "identity"},
                # Another address than the one that was set gets neither questions nor keys.
                http_client=DefaultAsyncHttpxClient(
                    follow_redirects=False, event_hooks={"response": [bound]}
                ),
            )
        except Exception as error:
            return plain(error)
        _ = client.chat.completions  # imported at first use: better here than on the loop
        return client


async def _tail(stream: AsyncStream[ChatCompletionChunk], heard: Heard) -> None:
    """Usage comes behind the last word. The answer is whole: whatever else comes, or fails, changes nothing."""
    with suppress(Exception):
        async with asyncio.timeout(TAIL_S):
            async for chunk in stream:
                heard.count(chunk)
