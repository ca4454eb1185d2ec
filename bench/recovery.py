"""The recovery bench: a real server is killed (SIGKILL) again and again while real customers write to it, and is
started again on the same home. In the end every customer's page and every receipt is held against the ledger.

`lost`: a receipt or a shown message that the ledger does not have, a message that was never answered. `doubled`:
a message stored or answered twice. `reordered`: a customer's messages stored in another order than written,
answered in another order than stored, or a page that shows another order than the ledger. A killed process leaves
the kernel's memory of its files behind; that a receipt outlives the machine is a test of its own
(tests/unit/store/test_power_cut.py). One kill in five comes while the server still starts.
"""

from __future__ import annotations

import asyncio
import random
import socket
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import aiohttp

from bench import Options
from bench._customers import Customer
from bench.serve import launch, ready, unstored_texts

KILLS = 20
CUSTOMERS = 24
LIVES_S = 3.0
"""Longest time between ready and the kill."""
END_WITHIN_S = 180.0

Row = tuple[int, str, str | None, int | None, str]
"""seq, role, ref, seq of the message it answers, text"""


@dataclass(slots=True)
class Findings:
    lost: int = 0
    doubled: int = 0
    reordered: int = 0
    messages: int = 0


def run(options: Options) -> dict[str, float]:
    """All keys; see the module's docstring."""
    home = options.cache / "recovery-home"
    for stale in home.glob("kefu.db*"):
        stale.unlink()
    return asyncio.run(_run(options, home))


async def _run(options: Options, home: Path) -> dict[str, float]:
    seed = random.SystemRandom().randrange(2**32)
    options.say(f"preparing a home (seed {seed})")
    random.seed(seed)
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"ws://127.0.0.1:{port}/channels/web/ws"
    texts = unstored_texts()
    customers = [Customer(number, texts) for number in range(CUSTOMERS)]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        start_s = await _life(options, home, port=port)  # trains and encodes, if it must
        tasks = [asyncio.create_task(customer.run(http, url)) for customer in customers]
        for kill in range(1, KILLS + 1):
            start_s = await _life(options, home, port=port, starting=start_s if kill % 5 == 0 else None)
            answers = sum(len(customer.shown) for customer in customers) // 2
            options.say(f"kill {kill} of {KILLS}; about {answers} answers so far")
        await _last_life(options, home, customers, tasks, port=port)
    found = _compare(home / "kefu.db", customers)
    return {
        "kills": KILLS,
        "lost": found.lost,
        "doubled": found.doubled,
        "reordered": found.reordered,
        "messages": found.messages,
        "customers": CUSTOMERS,
    }


async def _life(options: Options, home: Path, *, port: int, starting: float | None = None) -> float:
    """Start, live for a while, be killed; with `starting` before it is ready. Gives the seconds of the start."""
    began = time.perf_counter()
    child, said = await asyncio.to_thread(launch, home, options.models, port=port)
    try:
        if starting is not None:
            await asyncio.sleep(random.uniform(0.1, 1.0) * starting)
            return starting
        await asyncio.to_thread(ready, child, said)
        start_s = time.perf_counter() - began
        await asyncio.sleep(random.uniform(0.0, LIVES_S))
        return start_s
    finally:
        child.kill()
        await asyncio.to_thread(child.wait)


async def _last_life(
    options: Options, home: Path, customers: Sequence[Customer], tasks: list[asyncio.Task[None]], *, port: int
) -> None:
    """Nobody writes any more; what is owed is answered, or found missing."""
    child, said = await asyncio.to_thread(launch, home, options.models, port=port)
    try:
        await asyncio.to_thread(ready, child, said)
        options.say("the last start: waiting for what is owed")
        for customer in customers:
            customer.writing = False
        _, late = await asyncio.wait(tasks, timeout=END_WITHIN_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    child.wait(30)


def _compare(database: Path, customers: Sequence[Customer]) -> Findings:
    found = Findings()
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as ledger:
        for customer in customers:
            rows = ledger.execute(
                "SELECT seq, role, external_id, reply_to, text FROM message WHERE conversation_id = ? ORDER BY seq",
                (customer.conversation,),
            ).fetchall()
            judge(customer, rows, found)
    return found


def judge(customer: Customer, rows: Sequence[Row], found: Findings) -> None:
    """Hold one customer's page and receipts against the ledger's rows of the conversation."""
    stored = {ref: seq for seq, _, ref, _, _ in rows if ref is not None}
    own = [ref for _, role, ref, _, _ in rows if role == "customer" and ref is not None]
    answers = [reply_to for _, role, _, reply_to, _ in rows if role == "bot" and reply_to is not None]
    found.messages += len(own)
    found.lost += sum(stored.get(ref) != seq for ref, seq in customer.receipts.items())
    found.lost += len(set(customer.sent) - set(stored)) + len(set(stored.values()) - set(answers))
    found.lost += customer.contradictions
    found.doubled += len(own) - len(set(own)) + sum(n - 1 for n in Counter(answers).values())
    found.reordered += _turns(list(map(customer.sent.index, own))) + _turns(answers)
    found.reordered += [seq for seq, *_ in rows] != list(range(1, len(rows) + 1))
    shown = [(final["seq"], final["role"], final["text"]) for final in customer.shown]
    kept = [(seq, role, text) for seq, role, _, _, text in rows]
    found.lost += len(set(kept) - set(shown)) + len(set(shown) - set(kept))
    found.reordered += _turns([seq for seq, *_ in shown])


def _turns(numbers: Sequence[int]) -> int:
    """How often a number is followed by a smaller one."""
    return sum(later < earlier for earlier, later in pairwise(numbers))
