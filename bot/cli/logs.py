"""Log lines of a server, on standard error."""

from __future__ import annotations

import logging

OURS = frozenset({"bot", "connectors", "retrieval", "training"})
FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def log_to_stderr(level: str) -> None:
    """`level` counts for Kefu's own lines; of libraries only warnings are shown, whatever they set themselves."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORM))
    handler.addFilter(lambda record: record.levelno >= logging.WARNING or _is_ours(record.name))
    logging.basicConfig(level=level.upper(), handlers=[handler])


def _is_ours(logger: str) -> bool:
    return logger.partition(".")[0] in OURS
