"""The child that parses: a path as JSON a line in, lines of `wire` out.

The last line of a file is `{"end": digest}` or `{"unusable": [message, hint]}`. A file that takes too long ends the
process by its alarm, inside a parser's C code too; one that wants too much memory gets a MemoryError, or crashes.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path

from bot.documents.model import Unusable
from bot.documents.parse import parse
from bot.documents.reader import MAX_MEMORY, PATIENCE_S, digest
from bot.documents.wire import to_line


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends this one
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    for line in sys.stdin:
        signal.alarm(PATIENCE_S)
        _answer(Path(json.loads(line)))
        signal.alarm(0)
        sys.stdout.flush()


def _answer(path: Path) -> None:
    try:
        for found in parse(path):
            print(to_line(found))  # noqa: T201
        last: dict[str, object] = {"end": digest(path)}
    except Unusable as error:
        last = {"unusable": [error.message, error.hint]}
    except MemoryError:
        last = {
            "unusable": [f"needs more than {MAX_MEMORY >> 20} MiB of memory.", "Split it into several files."]
        }
    except OSError as error:
        last = {"unusable": [f"cannot be read: {error.strerror or error}.", "Check path and rights."]}
    print(json.dumps(last))  # noqa: T201


if __name__ == "__main__":
    main()
