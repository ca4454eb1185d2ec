"""Log lines of a server, on standard error."""

from __future__ import annotations

import logging
from typing import TextIO

from aiohttp.http_exceptions import HttpProcessingError

OURS = frozenset({"bot", "connectors", "retrieval", "training"})
FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def log_to_stderr(level: str) -> None:
    """`level` counts for Kefu's own lines; of libraries only warnings are shown, whatever they set themselves."""
    logging.basicConfig(level=level.upper(), handlers=[handler()])


def handler(stream: TextIO | None = None) -> logging.Handler:
    """Writes to the stream, or to standard error."""
    writer = logging.StreamHandler(stream)
    writer.setFormatter(logging.Formatter(FORM))
    writer.addFilter(lambda record: record.levelno >= logging.WARNING or _is_ours(record.name))
    writer.addFilter(_without_a_strangers_words)
    return writer


def _is_ours(logger: str) -> bool:
    return logger.partition(".")[0] in OURS


def _without_a_strangers_words(record: logging.LogRecord) -> bool:
    """What is no HTTP is repeated by aiohttp word for word, with a traceback of its parser."""
    if record.exc_info and isinstance(error := record.exc_info[1], HttpProcessingError):
        record.msg, record.args = "a request that is not HTTP was refused (%s)", (type(error).__name__,)
        record.exc_info = record.exc_text = None
    return True
