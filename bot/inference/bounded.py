"""A response of which no more is read than an answer can be. Imported with the client, which loads httpx2."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2

MAX_BYTES = 1 << 20
"""An answer of a few hundred tokens is a tenth of it, each token in an envelope of its own. The client keeps a line
until it ends: without this, one that never ends would fill the memory."""


class TooMuch(Exception):
    pass


class Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for part in self._stream:
            size += len(part)
            if size > MAX_BYTES:
                raise TooMuch
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


async def bound(response: httpx2.Response) -> None:
    """A hook. Nothing is unpacked either: nobody asked for it, and a kilobyte may unpack to a gigabyte."""
    if "content-encoding" in response.headers:
        del response.headers["content-encoding"]
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = Bounded(response.stream)
