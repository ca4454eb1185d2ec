"""The swap bench: a real server on the example shop, customers who write to it all the time, and 20 hot swaps between
the stock encoder (`base`) and a second release, of the same graph with other weights.

First the same customers without a swap; then with one swap after the other. In the first swap of a new home all texts
are encoded by the second encoder, and heads are made for it; after that vectors and heads are found in the home.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import statistics
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bench import ROOT, Options
from bench.crowd import crowd
from bench.serve import drive, server, unstored_texts
from bot.store import releases
from bot.store.db import Database
from retrieval.model_folder import GRAPH, checksums, is_ready, read_manifest
from retrieval.publish import publish
from training.encoder import build_encoder
from training.evaluation import Evaluation
from training.registry import Draft, add_release, list_releases, remove_release
from training.release import BASE

BOT = ROOT / "examples" / "shop"
SWAPS = 20
WARM_UP = 1_500
SOCKETS, RATE, QUIET = 40, 15, 600
"""40 customers, 15 messages a second: a third of what two cores can do; 40 s of them without a swap."""
SLOW_MS = 5_000
PATIENCE_S = 900
SETTLES_S, STEADY_MB = 3.0, 20.0
"""Memory that has not fallen by so much for so long: the encoder before is let go."""


@dataclass
class Crowd:
    """What a crowd came to."""

    errors: int = 0
    latencies_ms: list[float] = field(default_factory=list)


def run(options: Options) -> dict[str, float]:
    """All keys; see the module's docstring."""
    home = options.cache / "swap-home"
    home.mkdir(parents=True, exist_ok=True)
    for stale in home.glob("kefu.db*"):
        stale.unlink()
    file = home / "texts.json"
    file.write_text(json.dumps(unstored_texts(BOT), ensure_ascii=False), encoding="utf-8")
    second = _second_release(home, options)
    options.say("preparing a home: encoding the shop, training")
    with server(home, options.models, bot=BOT):
        pass
    with server(home, options.models, bot=BOT) as (url, process, _):
        options.say(f"warming up: {WARM_UP} messages")
        drive(url, file, conversations=SOCKETS, messages=WARM_UP)
        options.say(f"{QUIET} messages without a swap")
        quiet = Crowd()
        with _customers(url, file, quiet, messages=QUIET) as client:
            client.wait()
        busy = Crowd()
        rss, seconds = [_settled(process)], []
        with _customers(url, file, busy, messages=10**9):
            for number, name in enumerate([second, BASE] * (SWAPS // 2), start=1):
                seconds.append(_swap(home, url, name))
                rss.append(_settled(process))
                options.say(f"swap {number} of {SWAPS}: {seconds[-1]:.1f} s, {rss[-1]:.0f} MB")
        page = _page(url)
    lost = sum(_value(page, series) for series in ('kefu_turns_total{outcome="failed"}', "kefu_unanswered"))
    return {
        "swaps": SWAPS,
        "failed": quiet.errors + busy.errors + lost,
        "rss_growth_mb": rss[-1] - rss[0],
        "rss_growth_mb_after_2": rss[-1] - rss[2],
        "rss_mb": rss[-1],
        "p95_ms_quiet": float(np.percentile(quiet.latencies_ms, 95)),
        "p95_ms_swapping": float(np.percentile(busy.latencies_ms, 95)),
        "max_ms_swapping": max(busy.latencies_ms),
        "slow": sum(ms > SLOW_MS for ms in busy.latencies_ms),
        "messages": len(busy.latencies_ms),
        "swap_s": statistics.median(seconds[1:]),
    }


def _second_release(home: Path, options: Options) -> str:
    stock = build_encoder(options.models, report=lambda _stage, _done, _total, text: options.say(text))
    folder = options.cache / "swap-encoders" / stock.name
    if not is_ready(folder):
        other_encoder(stock, folder)
    draft = Draft("full", read_manifest(folder).fingerprint, Evaluation({}), "", encoder=folder)
    made = add_release(home / "releases", draft, now=datetime.now(UTC)).name
    for old in list_releases(home / "releases"):
        if old.name != made:
            remove_release(home / "releases", old.name, aliased=())
    return made


def other_encoder(stock: Path, folder: Path) -> None:
    """The files of `stock` that are needed to serve, its positions a little off: as if it had been trained on."""
    with publish(folder) as work:
        for name in read_manifest(stock).files:
            if name not in (GRAPH, "model.safetensors"):
                (work / name).parent.mkdir(exist_ok=True)
                shutil.copyfile(stock / name, work / name)
        _perturb(stock / GRAPH, work / GRAPH)
        replace(read_manifest(stock), name="other", files=checksums(work)).write(work)


def _perturb(graph: Path, target: Path) -> None:
    import onnx

    model = onnx.load(str(graph))
    [table] = [item for item in model.graph.initializer if "position_embeddings" in item.name]
    weights = onnx.numpy_helper.to_array(table)
    noise = np.random.default_rng(0).normal(0, 0.5 * weights.std(), weights.shape).astype(weights.dtype)
    table.CopyFrom(onnx.numpy_helper.from_array(weights + noise, table.name))
    onnx.save(model, str(target))


@contextmanager
def _customers(url: str, file: Path, found: Crowd, *, messages: int) -> Iterator[Any]:
    """They write until `messages` are written, or until this ends."""
    with crowd(url, file, sockets=SOCKETS, rate=RATE, messages=messages) as client:
        assert client.stdout is not None
        client.stdout.readline()
        try:
            yield client
        finally:
            client.send_signal(signal.SIGTERM)
            last = json.loads(client.stdout.read().splitlines()[-1])
            found.errors, found.latencies_ms = last["errors"], last["latencies_ms"]


def _swap(home: Path, url: str, name: str) -> float:
    """Promote, as `kefu releases promote` does, and wait; seconds until it answers."""
    asyncio.run(_promote(home, name))
    began = time.perf_counter()
    while time.perf_counter() - began < PATIENCE_S:
        if f'release="{name}"' in _page(url):
            return time.perf_counter() - began
        time.sleep(0.1)
    raise RuntimeError(f"{name} did not go live within {PATIENCE_S} s.")


async def _promote(home: Path, name: str) -> None:
    store = Database(f"sqlite:///{home / 'kefu.db'}")
    await store.open()
    try:
        async with store.read() as session:
            live = (await releases.aliases(session)).live
        now, note = datetime.now(UTC), releases.Note("bench")
        await store.write(lambda session: releases.promote(session, name, now, instead=live, note=note))
    finally:
        await store.close()


def _page(url: str) -> str:
    address = url.replace("ws://", "http://").split("/channels")[0]
    with urllib.request.urlopen(f"{address}/metrics", timeout=30) as answer:
        return str(answer.read().decode())


def _value(page: str, series: str) -> int:
    found = re.search(rf"^{re.escape(series)} (\S+)$", page, re.MULTILINE)
    return int(float(found.group(1))) if found else 0


def _settled(process: psutil.Process) -> float:
    """MB of its memory once that falls no more; what is given back is given back within seconds."""
    lowest, since = _mb(process), time.perf_counter()
    while time.perf_counter() - since < SETTLES_S:
        time.sleep(0.1)
        if (now := _mb(process)) < lowest - STEADY_MB:
            lowest, since = now, time.perf_counter()
    return _mb(process)


def _mb(process: psutil.Process) -> float:
    return float(process.memory_info().rss / 2**20)
