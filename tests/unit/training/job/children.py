"""A job in a process of its own, as it is typed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from training.dataset import Origin, Row, Task, write_dataset
from training.errors import TrainingError
from training.job.job import Asked, run_job
from training.progress import silent

ROOT = Path(__file__).resolve().parents[4]
PLACES = ["Leeds", "York", "Bath", "Truro", "Wells", "Ely", "Hull", "Deal", "Rye", "Wick", "Ayr", "Stoke"]
TRAVEL = [Row(f"book a train to {place}", "book_travel") for place in PLACES]
MONEY = [Row(f"why was I charged a fee in {place}?", "ask_fee") for place in PLACES]
CARDS = [Row(f"我的银行卡在{place}丢了", "挂失") for place in PLACES]
Line = dict[str, Any]
Watch = Callable[[Line], int | None]


def intents(folder: Path, *, more: int = 0, foreign: str | None = None) -> Path:
    """Three labels, 24 rows to learn from and 12 to be judged by; `more` rows to learn from beside them."""
    rows = [*TRAVEL, *MONEY, *CARDS]
    extra = [
        Row(f"{number} what does parcel {number * 37} cost", f"label_{number % 3}") for number in range(more)
    ]
    train = [row for number, row in enumerate(rows) if number % 3]
    parts: dict[Task, Any] = {"intent": {"train": [*train, *extra], "test": rows[::3]}}
    return write_dataset(folder, parts, Origin(foreign=foreign)).folder


class Job:
    """One spec, one data set, one folder, as often as it takes."""

    def __init__(self, place: Path, spec: dict[str, Any], *, data: Path, cache: Path) -> None:
        place.mkdir(parents=True, exist_ok=True)
        self.out, self.lines, self.errors = place / "out", list[Line](), ""
        (place / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
        self._asked = Asked(place / "spec.json", data, self.out, cache, threads=1)
        paths = {"spec": place / "spec.json", "data": data, "out": self.out, "cache": cache}
        named = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
        self._typed = ["run", *named, "--threads", "1"]

    def run(self, watch: Watch | None = None, **more: Any) -> int:
        """The exit code. `watch` sees each line, and may answer with a signal to send (once).

        A job that is watched waits at each line: whichever is quicker, the signal comes before the next.
        """
        with self._child("tests.unit.training.job.in_step" if watch else "training", **more) as child:
            assert child.stdout is not None
            self.lines = []
            for text in child.stdout:
                self.lines.append(json.loads(text))
                if watch and _signalled(child, watch(self.lines[-1])):
                    watch = _seen
            self.errors = child.stderr.read() if child.stderr else ""
            return child.wait()

    def refused(self) -> str:
        """What the job says in this process, which must be an error that was foreseen."""
        with pytest.raises(TrainingError) as caught:
            run_job(self._asked, report=silent)
        return str(caught.value)

    @contextmanager
    def _child(
        self, module: str, preexec_fn: Callable[[], None] | None = None
    ) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [sys.executable, "-m", module, *self._typed],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=preexec_fn,
        ) as child:
            yield child

    @property
    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.out / "result.json").read_text(encoding="utf-8"))
        return found

    @property
    def last(self) -> Line:
        return self.lines[-1]


def _signalled(child: subprocess.Popen[str], signum: int | None) -> bool:
    """Send what is asked for, and let a job that waits go on. Whether a signal was sent."""
    assert child.stdin is not None
    if signum is not None:
        child.send_signal(signum)
    with suppress(BrokenPipeError):  # it is gone
        os.write(child.stdin.fileno(), b".")
    return signum is not None


def _seen(line: Line) -> None:
    """Nothing more is sent."""


def at(stage: str, done: int, signum: int = signal.SIGKILL) -> Watch:
    """A signal once a stage has come so far."""
    return lambda line: signum if line["stage"] == stage and line["done"] >= done else None
