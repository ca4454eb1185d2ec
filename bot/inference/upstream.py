"""One generator server as the adapter sees it: where it is, what it is allowed, and how it can fail."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from bot.errors import GeneratorError

LONGEST_REST_S = 300.0
"""However long a server asks to be left alone."""
_HINTS = {
    401: "Check KEFU_GENERATOR_KEY.",
    403: "Check KEFU_GENERATOR_KEY.",
    404: "Check KEFU_GENERATOR_URL (it ends in /v1) and KEFU_GENERATOR_MODEL.",
    429: "It takes no more requests at the moment.",
    503: "It takes no more requests at the moment.",
}
_OF_THIS_REQUEST = (400, 409, 413, 422)
"""The server is well: it does not like what it was asked."""
_PASSING = (408, 425, 429)
"""Beside all from 500."""


@dataclass(frozen=True, slots=True)
class Price:
    """Of a million tokens read (`prompt`) and written (`completion`), in whatever money the operator counts."""

    prompt: Decimal = Decimal(0)
    completion: Decimal = Decimal(0)

    def of(self, prompt_tokens: int, completion_tokens: int) -> int:
        """In millionths of that money, what is left over rounded up: a budget is not missed by pieces."""
        return math.ceil(prompt_tokens * self.prompt + completion_tokens * self.completion)


FREE = Price()


@dataclass(frozen=True, slots=True)
class Upstream:
    """`url`: base address up to `/v1`. `model`: its name there."""

    url: str
    model: str
    key: str | None = field(default=None, repr=False)
    price: Price = FREE

    @property
    def place(self) -> str:
        """Host and port, for logs and metrics: no path, and nobody's name or password."""
        with suppress(ValueError):
            return urlsplit(self.url).netloc.rpartition("@")[2]
        return ""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an answer may take. Seconds strike within the answer's own deadline; tokens and counts are most."""

    connect_s: float = 2.0
    first_token_s: float = 3.0
    between_tokens_s: float = 2.0
    max_tokens: int = 400
    in_flight: int = 32
    """Answers under way at once."""
    waiting: int = 64
    """Answers that wait for one of those to end; one more is refused at once."""


class UpstreamError(GeneratorError):
    """`kind`: its name for whoever counts. `again`: the same server may do better in a moment. `blame`: it speaks
    against the server, not against what it was asked. `rest_s`: how long the server asked to be left alone."""

    def __init__(
        self,
        message: str,
        *,
        kind: str,
        hint: str = "",
        again: bool = False,
        blame: bool = True,
        rest_s: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.kind, self.again, self.blame, self.rest_s = kind, again, blame, rest_s


def garbage(what: str) -> UpstreamError:
    return UpstreamError(f"The generator server sent {what}.", kind="garbage")


def unfit(what: str) -> UpstreamError:
    """An answer that came as it should and is none."""
    return UpstreamError(f"The generator server {what}.", kind="unfit", blame=False)


def broken_off() -> UpstreamError:
    what = "The generator server broke off in the middle of an answer."
    return UpstreamError(what, kind="broken_off", again=True)


def plain(error: Exception) -> UpstreamError:
    """What kind of failure it was, never its text: that is the server's, and may repeat key or question."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return _refused(status, getattr(getattr(error, "response", None), "headers", {}))
    kind = type(error).__name__
    if kind in ("APIConnectionError", "APITimeoutError"):
        hint = "Is it running at KEFU_GENERATOR_URL?"
        what = "The connection to the generator server failed."
        return UpstreamError(what, kind="connection", hint=hint, again=True)
    if kind == "TooMuch":  # of bot.inference.bounded, which is imported with the client alone
        return garbage("more than any answer holds")
    match error:
        case json.JSONDecodeError():
            return garbage("something that is not JSON")
        case UnicodeDecodeError():
            return garbage("bytes that are no text")
        case UnicodeEncodeError():
            return unfit("cannot be sent half a character")
        case _:
            failed = f"The generator server failed ({kind})."
            return UpstreamError(failed, kind="failed", again=kind == "APIError")


def _refused(status: int, headers: Mapping[str, str]) -> UpstreamError:
    return UpstreamError(
        f"The generator server answered with status {status}.",
        kind="busy" if status in (429, 503) else "status",
        hint=_HINTS.get(status, "See the log of that server."),
        again=status in _PASSING or status >= 500,
        blame=status not in _OF_THIS_REQUEST,
        rest_s=rest_asked(headers.get("retry-after", ""), now=datetime.now(UTC)),
    )


def rest_asked(retry_after: str, *, now: datetime) -> float | None:
    """Seconds, of a Retry-After header in either form; None where it says nothing that can be followed."""
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(retry_after) - now).total_seconds()
        except (ValueError, TypeError, OverflowError):  # TypeError: a date without a zone
            return None
    return min(seconds, LONGEST_REST_S) if seconds > 0 else None
