"""The serve bench: a real server in its own process, a real client in another, and the bare encoder beside
them.

`ratio_64` compares messages/s (64 customers, each waiting for the final frame before writing again) with the
texts/s of the bare encoder: same texts, same session settings, same batch size as the server may form. The
client's share of the CPU is reported apart, since it takes its cycles from the same cores.
"""

from __future__ import annotations

import json
import os
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bench import ROOT, Options
from bot.definition import load
from bot.inference.door import MAX_BATCH
from retrieval.model_folder import locate
from retrieval.onnx_encoder import OnnxEncoder

BOT = ROOT / "examples" / "bank"
WARM_UP, STEADY, SAMPLES = 2_000, 6_000, 12
LONE = 150


CUSTOMERS = 64
READY = re.compile(r"Kefu is ready: http://(\S+)")
ALONE = ("p95_ms_1", "p50_ms_1", "encoder_ms_1")


def run(options: Options) -> dict[str, float]:
    """All keys of the design; see the module's docstring for what they mean."""
    texts = unstored_texts()
    encoder = OnnxEncoder.open(locate(options.models))
    home = options.cache / "serve-home"
    for stale in home.glob("kefu.db*"):
        stale.unlink()
    file = options.cache / "serve-texts.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
    options.say("preparing a home: encoding and training what changed since the last time")
    with server(home, options.models):
        pass
    with server(home, options.models) as (url, process, start_s):
        figures = {"start_s": start_s}
        options.say(f"warming up: {WARM_UP} messages")
        drive(url, file, conversations=CUSTOMERS, messages=WARM_UP)
        if options.wants(*ALONE):
            options.say(f"one customer: {LONE} messages")
            figures |= alone(url, file, encoder, texts)
        if not options.only or options.only - {*ALONE, "start_s"}:
            figures |= together(url, file, encoder, texts, process=process, say=options.say)
    return figures


def unstored_texts(bot: Path = BOT) -> list[str]:
    """An example bot's utterances: none is a stored question, all have to be understood. Shuffled, seed 0."""
    definition = load(bot)
    stored = {phrase for row in definition.knowledge for phrase in row.entry.phrases}
    texts = [
        text
        for name, intent in definition.intents.items()
        if name not in ("handoff", "out_of_scope")
        for examples in intent.examples.values()
        for text in examples
        if text not in stored
    ]
    random.Random(0).shuffle(texts)
    return texts


@contextmanager
def server(home: Path, cache: Path, *, bot: Path = BOT) -> Iterator[tuple[str, psutil.Process, float]]:
    """`kefu serve` on a free port; gives its web-chat URL, its process, and the seconds until it was
    ready.
    """
    began = time.perf_counter()
    child, said = launch(home, cache, bot=bot)
    try:
        address = ready(child, said)
        yield f"ws://{address}/channels/web/ws", psutil.Process(child.pid), time.perf_counter() - began
    finally:
        child.terminate()
        child.wait(30)


def launch(
    home: Path, cache: Path, *, port: int = 0, bot: Path = BOT
) -> tuple[subprocess.Popen[bytes], Path]:
    """The process, and the file that it writes its standard error to."""
    environment = {**os.environ, "KEFU_CACHE": str(cache), "KEFU_RATE_PER_MINUTE": "100000"}
    command = [sys.executable, "-m", "bot", "serve", str(bot), "--port", str(port), "--home", str(home)]
    home.mkdir(parents=True, exist_ok=True)
    said = home / "server.log"  # a pipe that nobody reads would fill up and stop the server
    with said.open("wb") as stderr:
        return subprocess.Popen(command, env=environment, stderr=stderr, cwd=ROOT), said


def ready(child: subprocess.Popen[bytes], said: Path) -> str:
    """Its address, once it says that it is ready."""
    while child.poll() is None:
        if found := READY.search(said.read_text(encoding="utf-8", errors="replace")):
            return found.group(1)
        time.sleep(0.05)
    raise RuntimeError(
        "The server did not start: " + said.read_text(encoding="utf-8", errors="replace")[-2000:]
    )


def drive(url: str, file: Path, *, conversations: int, messages: int) -> dict[str, Any]:
    """One run of the client's process."""
    command = [sys.executable, "-m", "bench._load", url, str(file)]
    command += ["--conversations", str(conversations), "--messages", str(messages)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def alone(url: str, file: Path, encoder: OnnxEncoder, texts: Sequence[str]) -> dict[str, float]:
    """One customer: latency, beside the encoder's for the same texts one at a time."""
    lone = drive(url, file, conversations=1, messages=LONE)
    return {
        "p95_ms_1": float(np.percentile(lone["latencies_ms"], 95)),
        "p50_ms_1": float(np.percentile(lone["latencies_ms"], 50)),
        "encoder_ms_1": 1e3 * statistics.median(_timed(encoder, [t]) for t in texts[:LONE]),
    }


def together(
    url: str,
    file: Path,
    encoder: OnnxEncoder,
    texts: Sequence[str],
    *,
    process: psutil.Process,
    say: Callable[[str], None],
) -> dict[str, float]:
    """Rounds of load with rounds of the bare encoder between them, so that the machine's moods hit both."""
    rates, bare, bare_cpu, rss, client, errors = [], [], [], [], 0.0, 0
    share = STEADY // SAMPLES
    server_cpu = 0.0
    for number in range(SAMPLES):
        say(f"{CUSTOMERS} customers: round {number + 1} of {SAMPLES}")
        rate, cpu = _bare(encoder, texts, offset=number * MAX_BATCH)
        bare.append(rate)
        bare_cpu.append(cpu)
        before = _cpu(process)
        result = drive(url, file, conversations=CUSTOMERS, messages=share)
        server_cpu += _cpu(process) - before
        rates.append(result["rate"])
        client += result["cpu_s"]
        errors += result["errors"]
        rss.append(process.memory_info().rss / 2**20)
    sent = share * SAMPLES
    return {
        "messages_per_s_64": statistics.median(rates),
        "encoder_texts_per_s": statistics.median(bare),
        "ratio_64": statistics.median(r / b for r, b in zip(rates, bare, strict=True)),
        "overhead_core_ms": 1e3 * server_cpu / sent - statistics.median(bare_cpu),
        "client_core_ms": 1e3 * client / sent,
        "rss_mb": rss[-1],
        "rss_slope_mb_per_1k": float(np.polyfit(np.arange(SAMPLES) * share / 1e3, rss, 1)[0]),
        "errors": errors,
    }


def _timed(encoder: OnnxEncoder, texts: Sequence[str]) -> float:
    began = time.perf_counter()
    encoder.encode(texts)
    return time.perf_counter() - began


def _bare(encoder: OnnxEncoder, texts: Sequence[str], *, offset: int) -> tuple[float, float]:
    """(texts/s, CPU ms a text) of four full batches."""
    chosen = [texts[(offset + n) % len(texts)] for n in range(4 * MAX_BATCH)]
    cpu = time.process_time()
    seconds = sum(_timed(encoder, chosen[n : n + MAX_BATCH]) for n in range(0, len(chosen), MAX_BATCH))
    return len(chosen) / seconds, 1e3 * (time.process_time() - cpu) / len(chosen)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
