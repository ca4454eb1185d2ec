"""What an operator may set for the Rasa channel."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RasaOptions:
    """Times in seconds."""

    token: str | None = field(default=None, repr=False)
    """Who asks has to name it. None: everybody may ask."""
    origins: tuple[str, ...] = ()
    """Pages that may ask, as `https://shop.example`, or `*`. Programs name no origin and always may."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.0/8", "::1/128")

    per_minute: int = 30
    """Messages of one sender in a minute, with `burst` at once. 0: no limit."""
    burst: int = 8
    peer_per_minute: int = 300
    """The same for one address. A backend that speaks for all its customers should have none."""
    peer_burst: int = 80

    reply_within: float = 30.0
    """How long a request waits for the answer."""
    max_waiting: int = 1_000
    """Requests that wait at the same time in this process."""
    close_within: float = 4.0
    """How long requests may go on waiting when the server stops."""
