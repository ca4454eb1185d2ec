"""Runs a command that reports as JSON lines (`{"stage", "done", "total", "text"}`) and shows them to people.

`python deploy/dev/progress.py COMMAND...` returns the command's exit status. Standard library only.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence


def shown(line: str) -> str:
    """One line of the command's output as it is shown; what is no progress report passes unchanged."""
    try:
        report = json.loads(line)
        return f"  [{report['done']}/{report['total']}] {report['text']}"
    except (ValueError, KeyError, TypeError):
        return line.rstrip("\n")


def main(command: Sequence[str]) -> int:
    """Returns the command's exit status."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            print(shown(line), flush=True)
    return child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
