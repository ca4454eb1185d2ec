"""Progress of a long job: JSON lines for machines, one `{"stage", "done", "total", "text"}` a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

Report = Callable[[str, int, int, str], None]
"""report(stage, done, total, text)"""


def to_stdout(stage: str, done: int, total: int, text: str) -> None:
    """Write one line and flush, so that whoever started the job sees it at once."""
    line = json.dumps({"stage": stage, "done": done, "total": total, "text": text}, ensure_ascii=False)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def silent(stage: str, done: int, total: int, text: str) -> None:
    """For callers that wait without watching."""
