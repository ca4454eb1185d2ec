"""A crowd for the crowd bench, in a process of its own: many open sockets, and a message now and then from one of
them, at a steady rate whether the last one is answered or not.

    python -m bench._crowd URL TEXTS.json --sockets N --rate R --messages M

prints a JSON object a line: {"done": n} every 500 messages, at the end errors, latencies and seconds too. On SIGTERM
it writes no more, and ends the same way.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

ANSWER_WITHIN_S = 60.0
REPORT_EVERY = 500
OPEN_AT_ONCE = 20


@dataclass(slots=True)
class Visitor:
    """One page that stays. `waiting`: ref -> when it was written."""

    number: int
    socket: aiohttp.ClientWebSocketResponse
    waiting: dict[str, float] = field(default_factory=dict)
    latencies_ms: list[float] = field(default_factory=list)
    errors: int = 0
    reader: asyncio.Task[None] | None = None

    async def write(self, text: str, count: int) -> None:
        ref = f"{self.number}-{count}"
        self.waiting[ref] = time.perf_counter()
        try:
            await self.socket.send_json({"type": "message", "id": ref, "text": text})
        except (aiohttp.ClientError, OSError):
            self.errors += 1
            del self.waiting[ref]

    async def read(self) -> None:
        """Answers come in the order of the questions."""
        async for message in self.socket:
            frame = message.json()
            if frame["type"] == "error":
                self.errors += 1
                self.waiting.pop(frame["error"].get("ref", ""), None)
            elif frame["type"] == "final" and frame["role"] == "bot" and self.waiting:
                began = self.waiting.pop(next(iter(self.waiting)))
                self.latencies_ms.append(1e3 * (time.perf_counter() - began))


async def run(url: str, texts: list[str], *, sockets: int, rate: float, messages: int) -> dict[str, Any]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        gate = asyncio.Semaphore(OPEN_AT_ONCE)
        visitors = await asyncio.gather(*(_arrive(http, url, number, gate) for number in range(sockets)))
        stop, count = asyncio.Event(), 0
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        print(json.dumps({"done": 0}), flush=True)
        began = time.perf_counter()
        while count < messages and not stop.is_set():
            await asyncio.sleep(max(0.0, began + count / rate - time.perf_counter()))
            await visitors[count % sockets].write(texts[count % len(texts)], count)
            count += 1
            if count % REPORT_EVERY == 0:
                print(json.dumps({"done": count}), flush=True)
        await _until_answered(visitors)
        seconds = time.perf_counter() - began
        gone = sum(visitor.socket.closed for visitor in visitors)
        unanswered = sum(len(visitor.waiting) for visitor in visitors)
        await asyncio.gather(*(visitor.socket.close() for visitor in visitors))
    return {
        "done": count,
        "seconds": seconds,
        "errors": sum(visitor.errors for visitor in visitors) + unanswered + gone,
        "latencies_ms": [ms for visitor in visitors for ms in visitor.latencies_ms],
    }


async def _arrive(http: aiohttp.ClientSession, url: str, number: int, gate: asyncio.Semaphore) -> Visitor:
    origin = url.rsplit("/channels", 1)[0].replace("ws", "http", 1)
    async with gate:
        socket = await http.ws_connect(url, protocols=("kefu.v1",), origin=origin)
        await socket.send_json({"type": "hello", "v": 1, "last_seq": 0})
        while (await socket.receive_json(timeout=ANSWER_WITHIN_S))["type"] != "welcome":
            pass
    visitor = Visitor(number, socket)
    visitor.reader = asyncio.create_task(visitor.read())
    return visitor


async def _until_answered(visitors: list[Visitor]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(ANSWER_WITHIN_S):
            while any(visitor.waiting for visitor in visitors):  # noqa: ASYNC110
                await asyncio.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("texts", type=Path)
    parser.add_argument("--sockets", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--messages", type=int, required=True)
    args = parser.parse_args()
    texts = json.loads(args.texts.read_text(encoding="utf-8"))
    result = run(args.url, texts, sockets=args.sockets, rate=args.rate, messages=args.messages)
    print(json.dumps(asyncio.run(result)))


if __name__ == "__main__":
    main()
