"""Tuning in two processes, as `accelerate launch` starts them, gives what one process gives."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.tiny_encoder import tiny_encoder
from training.tuning.recipes import recipe_for
from training.tuning.task import Task
from training.tuning.tuner import Tuner

ROOT = Path(__file__).resolve().parents[3]
TEXTS = [f"{some[n % 3] * (n + 1)} {some}" for some in ("abc", "xyz") for n in range(10)]
TASKS = (
    Task("intent", TEXTS, ["abc"] * 10 + ["xyz"] * 10),
    Task("sentiment", ["a b", "c d", "e f"], ["good", "bad", "good"]),
)
OWN = {"layers": 2, "epochs": 2, "batch": 8, "rate": 1e-2, "threads": 1, "precision": "float32"}
OWN |= {"dropout": 0.0, "cutoff": 0.0, "average": 0.0}
"""Without dropout: which numbers and tokens are left out is each process's own affair. Products are not rounded: texts
stand in other batches."""
CLOSE = 1e-4
CHILD = "import sys; from tests.integration.training.test_two_processes import learn; learn(*sys.argv[1:])"


def learn(encoder: str, out: str) -> None:
    """Tune, and write all weights to `out`; the rank is added to its name."""
    tuner = Tuner(Path(encoder), TASKS, recipe_for("full", OWN))
    list(tuner.run())
    tensors = {name: value for name, value in tuner.state()[0].items() if name.startswith("weights/")}
    save_file(tensors, f"{out}.{os.environ.get('RANK', 'alone')}-of-{tuner.about()['processes']}")


@pytest.mark.timeout(300)
def test_two_processes_learn_what_one_learns(tmp_path: Path) -> None:
    encoder, out = str(tiny_encoder(tmp_path)), str(tmp_path / "weights")
    port = _free_port()
    children = [_start(rank, port, [encoder, out]) for rank in range(2)]
    try:
        learn(encoder, out)
        for child in children:
            said, _ = child.communicate(timeout=240)
            assert child.returncode == 0, said[-3000:]
    finally:
        for child in children:
            child.kill()
    alone, first, second = (load_file(f"{out}.{name}") for name in ("alone-of-1", "0-of-2", "1-of-2"))
    assert all(torch.equal(first[name], second[name]) for name in first)
    start, _ = Tuner(Path(encoder), TASKS, recipe_for("full", OWN)).state()
    moved = [name for name in alone if (alone[name] - start[name]).abs().max() > 10 * CLOSE]
    assert len(moved) > len(alone) / 2
    for name in moved:
        torch.testing.assert_close(first[name], alone[name], atol=CLOSE, rtol=0)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _start(rank: int, port: int, arguments: list[str]) -> subprocess.Popen[str]:
    place = {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-W", "ignore", "-c", CHILD, *arguments]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **place},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
