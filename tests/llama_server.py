"""llama.cpp's own OpenAI-compatible server, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.conftest import ROOT


@contextmanager
def llama_server(*arguments: str) -> Iterator[str]:
    """Its address, up to `/v1`. `arguments`: as `bench._llama` takes them."""
    command = [sys.executable, "-m", "bench._llama", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        if not address:
            pytest.fail(f"The server did not start: {process.communicate()[1]}")
        yield f"{address}/v1"
        process.communicate(timeout=20)
