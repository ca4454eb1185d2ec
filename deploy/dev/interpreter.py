"""Prints which Python `.venv` is to be made with: of those on the PATH the quickest.

Two builds of one version may be a third apart: a Python that was compiled without a profile of what it runs, as pyenv
does where nobody asks otherwise, takes that much longer for the same code. Not all of them say how they were made, so
each is timed. Standard library only; starts on any Python from 3.7. Prints nothing where none is found.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from typing import NamedTuple

NAMES = ("python3.11", "python3")
"""The first of them that the PATH has; all that bear its name are looked at."""
WORTH = 0.9
"""Who goes to look for another than the first on the PATH wants it to take at most this share of its time."""
PROBE = """
import importlib.util, sys, time
class Row:
    def __init__(self, number): self.number = number
def work():
    began, kept = time.process_time(), {}
    for number in range(20000): kept[str(number % 500)] = Row(number).number
    return time.process_time() - began
able = all(importlib.util.find_spec(name) for name in ("ensurepip", "venv"))
print(min(work() for _ in range(5)) if able else "unable", sys.executable)
"""


class Timed(NamedTuple):
    """Where an interpreter really stands, and the seconds it takes for a little work."""

    executable: str
    seconds: float


def executables(path: str, names: Sequence[str] = NAMES) -> list[str]:
    """Of the first name that any folder of the PATH has: each of its programs once, in the PATH's order."""
    for name in names:
        there: dict[str, str] = {}
        for program in (os.path.join(folder, name) for folder in path.split(os.pathsep) if folder):
            if os.access(program, os.X_OK):
                there.setdefault(os.path.realpath(program), program)
        if there:
            return list(there.values())
    return []


def timed(executable: str) -> Timed | None:
    """None where it does not run or cannot make environments."""
    try:
        done = subprocess.run(
            [executable, "-I", "-S", "-c", PROBE], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    seconds, _, real = done.stdout.strip().partition(" ")
    return None if seconds == "unable" else Timed(real, float(seconds))


def quickest(found: Sequence[Timed]) -> str | None:
    """The first, unless another is clearly quicker. `found`: in the PATH's order."""
    if not found:
        return None
    first, best = found[0], min(found, key=lambda one: one.seconds)
    return best.executable if best.seconds <= WORTH * first.seconds else first.executable


def choose(path: str) -> str | None:
    programs = executables(path)
    if len(programs) < 2:
        return next(iter(programs), None)
    found = [one for one in map(timed, programs) if one is not None]
    return quickest(found) or programs[0]


if __name__ == "__main__":
    print(choose(os.environ.get("PATH", "")) or "")
