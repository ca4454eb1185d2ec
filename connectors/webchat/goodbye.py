"""How a connection ends: whoever knows that it must, raises this."""

from __future__ import annotations

GOING_AWAY = 1001
TOO_LARGE = 1009
INTERNAL = 1011
TRY_AGAIN = 1013
NO_HELLO = 4400
UNAUTHORISED = 4401


class Goodbye(Exception):
    """`code` and `reason` (at most 120 bytes) go into the close frame, `last` is sent ahead of it."""

    def __init__(self, code: int = 1000, reason: str = "", *, last: bytes | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.last = last
