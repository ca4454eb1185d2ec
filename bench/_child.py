"""A peer in a process of its own, maybe under another Python: a job goes in as JSON, figures come out as JSON.

The script prints its progress as lines of JSON, `{"done", "total", "text"}`; what else it prints is not looked at. It
is told two paths: where its job lies, and where its figures shall.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_EVERY_S = 10.0
_SHOWN = 15


class PeerError(Exception):
    """A peer could not be measured; the message ends with what it said last."""


def measured(
    command: tuple[Path, Path], job: Mapping[str, Any], *, work: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """`command`: Python and script. What the script found. Raises `PeerError`."""
    work.mkdir(parents=True, exist_ok=True)
    asked, found, noise = work / "job.json", work / "found.json", work / "errors.log"
    found.unlink(missing_ok=True)
    asked.write_text(json.dumps(job, ensure_ascii=False), encoding="utf-8")
    python, script = command
    with (
        noise.open("wb") as errors,
        subprocess.Popen(
            [str(python), str(script), str(asked), str(found)],
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=work,
            env=_surroundings(job),
        ) as child,
    ):
        try:
            _follow(child, say)
        except BaseException:
            child.kill()
            raise
    if child.returncode or not found.is_file():
        said = noise.read_text(encoding="utf-8", errors="replace").splitlines()[-_SHOWN:]
        raise PeerError("\n".join([f"{script.name} ended with {child.returncode}", *said]))
    figures: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    return figures


def _follow(child: subprocess.Popen[bytes], say: Callable[[str], None]) -> None:
    assert child.stdout is not None
    told = 0.0
    for line in child.stdout:
        try:
            step = json.loads(line)
            text, done, total = step["text"], step["done"], step["total"]
        except (ValueError, TypeError, KeyError):
            continue
        if time.perf_counter() - told >= _EVERY_S or done == total:
            told = time.perf_counter()
            say(f"{text}: {done} of {total}")
    child.wait()


def _surroundings(job: Mapping[str, Any]) -> dict[str, str]:
    """No network, no accounts, and as many threads as everybody."""
    threads = str(job["threads"])
    quiet = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "RASA_TELEMETRY_ENABLED": "false"}
    numbers = {"OMP_NUM_THREADS": threads, "TF_INTRA_OP_PARALLELISM_THREADS": threads}
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    return {**kept, **quiet, **numbers, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
