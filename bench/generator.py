"""The generator bench: what the adapter costs over the bare server, and what customers notice of a broken one.

At the port: the adapter and a bare aiohttp client ask the same server for the same answer in turn. The server is
llama.cpp's own with the small model (`real_server` 1), or, where the `llm` extra is missing, one that streams at a
steady pace (0). `sentence_delay_ms`: a steady server in this process notes when the last piece of a sentence is on its
way; the floor behind the adapter says when it may be shown.

On the whole bot: `kefu serve` with 32 customers, first on a server on which each request meets the next of 18 faults,
then on one that is killed while they write. An error shown is an apology, an error frame, a message that the answer
takes longer, or no answer within the channel's deadline.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing, closing, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bench import ROOT, Options
from bench._load import Tally, customer
from bench._upstreams import PACE_S, WORDS, misbehaving, real, reciting, steady
from bench.serve import launch, ready, unstored_texts
from bot.inference.faulty import FaultyServer
from bot.inference.generator import Passage, Prompt
from bot.inference.guard import guarded
from bot.inference.instructions import as_chat
from bot.inference.openai import OpenAIGenerator
from bot.inference.upstream import Bounds, Upstream
from bot.inference.weights import GEMMA
from bot.settings import Settings

ROUNDS, WARM_UP = 11, 1
CUSTOMERS, MESSAGES = 32, 128
SENTENCES = ("Delivery takes 3 working days.", "Delivery is free.", "A new card costs CNY 15.")
PROMPT = Prompt("Ada", "how long does delivery take", "en", (Passage(1, "Delivery", " ".join(SENTENCES)),))
PORT = ("ttft_overhead_ms", "tokens_ratio")
BOUNDS = Bounds(first_token_s=60, between_tokens_s=60)
DEADLINE_S = float(Settings.model_fields["turn_deadline_s"].default)


def run(options: Options) -> dict[str, float]:
    """All keys; see the module's docstring."""
    figures: dict[str, float] = {}
    if options.wants(*PORT):
        with real(options.models) as url:
            figures |= asyncio.run(_at_the_port(options, url))
    if options.wants("sentence_delay_ms"):
        options.say("sentences behind the floor")
        figures["sentence_delay_ms"] = asyncio.run(_sentence_delay())
    if options.wants("faults", "errors_shown", "fallbacks"):
        figures |= asyncio.run(_on_the_bot(options))
    return figures


async def _at_the_port(options: Options, url: str | None) -> dict[str, float]:
    options.say("at the port: " + ("a real server" if url else "no `llm` extra, a server at a steady pace"))
    async with FaultyServer() as pretended:
        pretended.behaviour = steady(*("word " for _ in range(WORDS)))
        generator = OpenAIGenerator([Upstream(url or pretended.url, GEMMA.name)], BOUNDS)
        await generator.open()
        rows = []
        async with aiohttp.ClientSession() as http:
            for number in range(WARM_UP + ROUNDS):
                bare = await _bare(http, url or pretended.url)
                rows.append((bare, await _ours(generator)))
                options.say(f"round {number + 1} of {WARM_UP + ROUNDS}")
        await generator.close()
    rows = rows[WARM_UP:]
    return {
        "real_server": float(url is not None),
        "ttft_bare_ms": 1e3 * statistics.median(bare[0] for bare, _ in rows),
        "ttft_overhead_ms": 1e3 * statistics.median(ours[0] - bare[0] for bare, ours in rows),
        "tokens_ratio": statistics.median(ours[1] / bare[1] for bare, ours in rows),
        "tokens_per_s_bare": statistics.median(bare[1] for bare, _ in rows),
    }


async def _bare(http: aiohttp.ClientSession, url: str) -> tuple[float, float]:
    """Seconds to the first piece of text, and pieces a second."""
    began, first, pieces = time.perf_counter(), 0.0, 0
    body = {
        "model": GEMMA.name,
        "messages": as_chat(PROMPT),
        "stream": True,
        "temperature": 0,
        "max_tokens": 400,
    }
    async with http.post(f"{url}/chat/completions", json=body) as response:
        async for line in response.content:
            if not line.startswith(b"data: {"):
                continue
            choices = json.loads(line[6:])["choices"]
            text = (choices[0]["delta"].get("content") or "") if choices else ""
            if first or text.strip():  # blanks ahead of the first word are no answer, on neither side
                first = first or time.perf_counter() - began
                pieces += bool(text)
    return first, pieces / (time.perf_counter() - began)


async def _ours(generator: OpenAIGenerator) -> tuple[float, float]:
    began, first, pieces = time.perf_counter(), 0.0, 0
    async with aclosing(generator.stream(PROMPT, deadline=120)) as stream:
        async for _ in stream:
            first = first or time.perf_counter() - began
            pieces += 1
    return first, pieces / (time.perf_counter() - began)


async def _sentence_delay() -> float:
    """Median, of all sentences but the first answer's."""
    ended: list[float] = []
    shown: list[float] = []
    pieces = [
        piece for text in SENTENCES for piece in (*(f"{word} " for word in text.split()), "[", "1", "] ")
    ]
    async with FaultyServer() as server:
        server.behaviour = steady(*pieces, ended=ended)
        generator = OpenAIGenerator([Upstream(server.url, GEMMA.name)], BOUNDS)
        await generator.open()
        for _ in range(ROUNDS):
            async with aclosing(guarded(generator.stream(PROMPT, deadline=60), PROMPT)) as sentences:
                shown += [time.perf_counter() async for _ in sentences]
        await generator.close()
    if len(shown) != len(ended):
        raise RuntimeError(f"{len(ended)} sentences were sent and {len(shown)} shown.")
    skip = len(SENTENCES)
    return 1e3 * statistics.median(s - e for e, s in zip(ended[skip:], shown[skip:], strict=True))


async def _on_the_bot(options: Options) -> dict[str, float]:
    home = options.cache / "generator-home"
    for stale in home.glob("kefu.db*"):
        stale.unlink()
    bot = _starter(home.parent / "generator-bot")
    texts = unstored_texts(bot)
    async with misbehaving() as (broken, met):
        options.say("preparing a home")
        with _serving(bot, home, options.models, broken.url) as url:
            url = await asyncio.to_thread(url)
            options.say(f"{CUSTOMERS} customers, each request meets another fault")
            first = await _crowd(url, texts)
    requests = sum(met.values())
    async with FaultyServer() as doomed:
        doomed.behaviour = reciting
        with _serving(bot, home, options.models, doomed.url) as url:
            url = await asyncio.to_thread(url)
            options.say(f"{CUSTOMERS} customers, the server is killed")
            crowd = asyncio.create_task(_crowd(url, texts))
            await asyncio.sleep(40 * PACE_S)
            await doomed.stop()
            second = await crowd
    tallies = (first, second)
    latencies = [ms for tally in tallies for ms in tally.latencies_ms]
    ledger = _ledger(home / "kefu.db")
    return {
        "messages": len(latencies),
        "faults": requests,
        "faults_kinds": sum(count > 0 for count in met.values()),
        "errors_shown": sum(tally.errors for tally in tallies)
        + sum(ms > 1e3 * DEADLINE_S for ms in latencies)
        + 2 * MESSAGES
        - len(latencies)
        + ledger["apologies"],
        "fallbacks": ledger["fallbacks"],
        "p50_ms": statistics.median(latencies),
        "max_ms": max(latencies),
    }


async def _crowd(url: str, texts: list[str]) -> Tally:
    tally = Tally(texts, MESSAGES)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        await asyncio.gather(*(customer(http, url, tally, n) for n in range(CUSTOMERS)))
    return tally


def _starter(folder: Path) -> Path:
    """What `kefu init` makes: few texts, so that its home is made in seconds."""
    if not folder.exists():
        subprocess.run([sys.executable, "-m", "bot", "init", str(folder)], cwd=ROOT, check=True)
    return folder


@contextmanager
def _serving(bot: Path, home: Path, cache: Path, upstream: str) -> Iterator[Any]:
    """Gives what waits for its address: the upstream lives on this loop, which must turn meanwhile."""
    given = {"KEFU_GENERATOR": "openai", "KEFU_GENERATOR_URL": upstream, "KEFU_GENERATOR_MODEL": GEMMA.name}
    os.environ.update(given)
    child, said = launch(home, cache, bot=bot)
    try:
        yield lambda: f"ws://{ready(child, said)}/channels/web/ws"
    finally:
        for name in given:
            del os.environ[name]
        child.terminate()
        child.wait(30)


def _ledger(database: Path) -> dict[str, int]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as rows:
        (fallbacks,) = rows.execute(
            "SELECT count(*) FROM trace WHERE decision = 'generate by stored'"
        ).fetchone()
        (late,) = rows.execute("SELECT count(*) FROM message WHERE role = 'system'").fetchone()
        (untraced,) = rows.execute(
            "SELECT count(*) FROM message WHERE role = 'bot' AND turn NOT IN (SELECT turn FROM trace)"
        ).fetchone()
    return {"fallbacks": fallbacks, "apologies": late + untraced}
