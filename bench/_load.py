"""A client for the serve bench, in a process of its own: customers who write, wait for the answer, and write
again.

    python -m bench._load URL TEXTS.json --conversations N --messages M

prints one JSON object: seconds, messages, latencies in ms (each message: written -> final frame), CPU seconds, and the
rate: messages/s while all customers are at it, which they are neither while they connect nor when the last ones wait.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

ANSWER_WITHIN_S = 60


@dataclass
class Tally:
    """What all customers of a run share. `left`: messages still to be written."""

    texts: list[str]
    left: int
    latencies_ms: list[float] = field(default_factory=list)
    errors: int = 0
    answered_at: list[float] = field(default_factory=list)
    written_at: float | None = None
    """When the last message was written."""

    def next_text(self) -> str | None:
        if self.left <= 0:
            self.written_at = self.written_at or time.perf_counter()
            return None
        self.left -= 1
        return self.texts[self.left % len(self.texts)]


async def customer(http: aiohttp.ClientSession, url: str, tally: Tally, number: int) -> None:
    async with http.ws_connect(url, protocols=("kefu.v1",), origin=_origin(url)) as socket:
        await socket.send_json({"type": "hello", "v": 1, "last_seq": 0})
        await _until(socket, "welcome")
        count = 0
        while (text := tally.next_text()) is not None:
            count += 1
            began = time.perf_counter()
            await socket.send_json({"type": "message", "id": f"{number}-{count}", "text": text})
            if await _answered(socket):
                tally.answered_at.append(time.perf_counter())
                tally.latencies_ms.append(1e3 * (tally.answered_at[-1] - began))
            else:
                tally.errors += 1


async def _until(socket: aiohttp.ClientWebSocketResponse, *kinds: str) -> dict[str, Any]:
    """The next frame of these kinds. Others are not even parsed: a client's work takes from the server's cores."""
    begins = tuple(f'{{"type":"{kind}"' for kind in kinds)
    async with asyncio.timeout(ANSWER_WITHIN_S):
        while not (text := await socket.receive_str()).startswith(begins):
            pass
    frame: dict[str, Any] = json.loads(text)
    return frame


async def _answered(socket: aiohttp.ClientWebSocketResponse) -> bool:
    while (frame := await _until(socket, "final", "error"))["type"] == "final":
        if frame["role"] == "bot":
            return True
    return False


def _origin(url: str) -> str:
    return url.rsplit("/channels", 1)[0].replace("ws", "http", 1)


async def run(url: str, texts: list[str], *, conversations: int, messages: int) -> dict[str, Any]:
    tally = Tally(texts, messages)
    spent = _cpu_s()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:
        began = time.perf_counter()
        await asyncio.gather(*(customer(http, url, tally, n) for n in range(conversations)))
        seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "rate": rate(tally.answered_at, conversations, until=tally.written_at or time.perf_counter()),
        "messages": len(tally.latencies_ms),
        "errors": tally.errors,
        "latencies_ms": tally.latencies_ms,
        "cpu_s": _cpu_s() - spent,
    }


def rate(answered_at: Sequence[float], conversations: int, *, until: float) -> float:
    """Answers a second from when as many as there are customers had come, `until` nobody has more to write.

    0 where these are too few.
    """
    steady = [at for at in answered_at[conversations - 1 :] if at <= until]
    return (len(steady) - 1) / (steady[-1] - steady[0]) if len(steady) > 1 else 0.0


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("texts", type=Path)
    parser.add_argument("--conversations", type=int, required=True)
    parser.add_argument("--messages", type=int, required=True)
    args = parser.parse_args()
    texts = json.loads(args.texts.read_text(encoding="utf-8"))
    result = run(args.url, texts, conversations=args.conversations, messages=args.messages)
    print(json.dumps(uvloop.run(result)))


if __name__ == "__main__":
    main()
