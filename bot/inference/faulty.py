"""A fake for tests: a server that speaks OpenAI's chat API as badly as it is told to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

TOLD = "zxq-told"
"""Stands in everything that the server says about a failure: none of it may come through."""
Behaviour = Callable[["FaultyServer", web.Request], Awaitable[web.StreamResponse]]


class FaultyServer:
    """`behaviour` decides each answer; `requests` keeps the bodies, `dropped` tells that a client hung up."""

    def __init__(self) -> None:
        self.behaviour: Behaviour = saying("Nothing ", "is ", "wrong.")
        self.requests: list[dict[str, object]] = []
        self.keys: list[str | None] = []
        self.dropped = asyncio.Event()
        self.url = ""

    async def __aenter__(self) -> FaultyServer:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._answer)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def stop(self) -> None:
        """As a server that is killed: connections are cut, nobody listens any more."""
        await self._runner.cleanup()

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(await request.json())
        self.keys.append(request.headers.get("Authorization"))
        try:
            return await self.behaviour(self, request)
        except (asyncio.CancelledError, ConnectionError):
            self.dropped.set()
            raise


def chunk(text: str | None = None, finish: str | None = None, **delta: object) -> str:
    choice = {"index": 0, "delta": {"content": text, **delta}, "finish_reason": finish}
    return json.dumps({"id": "x", "object": "chat.completion.chunk", "model": "m", "choices": [choice]})


def saying(*pieces: str, finish: str = "stop") -> Behaviour:
    """What a good server does, its count of tokens included."""
    usage = {"prompt_tokens": 7, "completion_tokens": len(pieces), "total_tokens": 7 + len(pieces)}
    counted = json.dumps({"id": "x", "model": "m", "choices": [], "usage": usage})
    return sending(*map(chunk, pieces), chunk(finish=finish), counted, "[DONE]")


def telling(words: Mapping[str, float], *, finish: str = "length") -> Behaviour:
    """A token, and what it could have been: logarithms of probabilities."""
    likely = [{"token": token, "logprob": logprob, "bytes": None} for token, logprob in words.items()]
    first = {
        **(likely[0] if likely else {"token": "", "logprob": 0.0, "bytes": None}),
        "top_logprobs": likely,
    }
    body = json.loads(chunk(next(iter(words), "")))
    body["choices"][0]["logprobs"] = {"content": [first]}
    usage = {"prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8}
    counted = json.dumps({"id": "x", "model": "m", "choices": [], "usage": usage})
    return sending(json.dumps(body), chunk(finish=finish), counted, "[DONE]")


def sending(*events: str, then: Callable[[web.Request], Awaitable[None]] | None = None) -> Behaviour:
    """These events, whatever they hold, and then the end, or something worse."""

    async def behave(_: FaultyServer, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in events:
            await response.write(f"data: {event}\n\n".encode())
        if then is not None:
            await then(request)
        return response

    return behave


def raw(*parts: bytes, headers: Mapping[str, str] | None = None) -> Behaviour:
    """These very bytes, under an answer's head."""

    async def behave(_: FaultyServer, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **(headers or {})})
        await response.prepare(request)
        for part in parts:
            await response.write(part)
        return response

    return behave


async def endless(_: FaultyServer, request: web.Request) -> web.StreamResponse:
    """A line that never ends."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65_536)


def refusing(status: int, **headers: str) -> Behaviour:
    """A status with a body that repeats the whole request, key and all, as some servers do."""

    async def behave(_: FaultyServer, request: web.Request) -> web.StreamResponse:
        error = {"message": f"{TOLD} {request.headers.get('Authorization')} {await request.text()}"}
        return web.json_response({"error": error}, status=status, headers=headers)

    return behave


async def page(_: FaultyServer, request: web.Request) -> web.StreamResponse:
    """What stands at an address that is not the API's."""
    return web.Response(text=f"<html>{TOLD}</html>", content_type="text/html")


async def break_off(request: web.Request) -> None:
    assert request.transport is not None
    request.transport.abort()


async def hang(_: web.Request) -> None:
    await asyncio.Event().wait()


async def hang_first(server: FaultyServer, request: web.Request) -> web.StreamResponse:
    """Not even headers come."""
    await hang(request)
    raise AssertionError
