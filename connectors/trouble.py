"""What is told and what is logged when the engine fails."""

from __future__ import annotations

import logging
from traceback import extract_tb

from connectors.errors import ConnectorError

_log = logging.getLogger(__name__)


def told(problem: Exception, *, instance: str, doing: str) -> ConnectorError:
    """What the client hears. Anything unforeseen is logged by type and place alone: its message may quote
    what the customer wrote."""
    if isinstance(problem, ConnectorError):
        return problem
    frames = extract_tb(problem.__traceback__)
    place = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames[-5:]))
    _log.error("channel %s: %s failed: %s at %s", instance, doing, type(problem).__qualname__, place)
    return ConnectorError("internal", "Something went wrong on our side: try again.")
