"""The crowd bench: 500 sockets stay open, and 20 messages a second come in over them, 20,000 in all (17 minutes).

What is looked for is what only time shows: a message without an answer, a socket that is lost, memory that grows.
`rss_slope_mb_per_1k_500` is the growth of the server's memory for a thousand messages, after 2,000 to warm up.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from bench import ROOT, Options
from bench.serve import server, unstored_texts

SOCKETS, RATE, MESSAGES = 500, 20, 20_000
WARM_UP = 2_000


def run(options: Options) -> dict[str, float]:
    """All keys; see the module's docstring."""
    home = options.cache / "crowd-home"
    for stale in home.glob("kefu.db*"):
        stale.unlink()
    home.mkdir(parents=True, exist_ok=True)
    file = home / "texts.json"
    file.write_text(json.dumps(unstored_texts(), ensure_ascii=False), encoding="utf-8")
    options.say("preparing a home: encoding and training what changed since the last time")
    with server(home, options.models):
        pass
    with server(home, options.models) as (url, process, _):
        rss: list[tuple[int, float]] = []
        options.say(f"{SOCKETS} sockets open")
        with crowd(url, file, sockets=SOCKETS, rate=RATE, messages=MESSAGES) as client:
            assert client.stdout is not None
            for line in client.stdout:
                result = json.loads(line)
                rss.append((result["done"], process.memory_info().rss / 2**20))
                options.say(f"{result['done']} of {MESSAGES} messages, {rss[-1][1]:.0f} MB")
        if client.returncode:
            raise RuntimeError(f"The crowd ended with {client.returncode}.")
    warm = np.array([pair for pair in rss if pair[0] >= WARM_UP])
    return {
        "errors_500": result["errors"],
        "rss_slope_mb_per_1k_500": float(np.polyfit(warm[:, 0] / 1e3, warm[:, 1], 1)[0]),
        "messages_500": len(result["latencies_ms"]),
        "p50_ms_500": float(np.percentile(result["latencies_ms"], 50)),
        "p95_ms_500": float(np.percentile(result["latencies_ms"], 95)),
        "rss_mb_500": rss[-1][1],
        "seconds_500": result["seconds"],
    }


def crowd(url: str, file: Path, *, sockets: int, rate: float, messages: int) -> subprocess.Popen[str]:
    """The customers' process; its first line comes when all sockets are open."""
    command = [sys.executable, "-m", "bench._crowd", url, str(file), "--sockets", str(sockets)]
    command += ["--rate", str(rate), "--messages", str(messages)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
