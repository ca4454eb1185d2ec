"""Runs a piece of Python that needs torch in a process of its own: this one stays as the server is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


def run_python(code: str, *arguments: str) -> Any:
    """What the code prints last, read as JSON."""
    command = [sys.executable, "-W", "ignore", "-c", code, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def run_encoder_verb(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and progress of `python -m training encoder`: every line of its output is JSON."""
    command = [sys.executable, "-m", "training", "encoder", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr[-3000:]
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]
