"""What an operator may set for one web chat."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WebChatOptions:
    """Times in seconds. The defaults suit a public site on one machine."""

    origins: tuple[str, ...] = ()
    """Pages that may connect, as `https://shop.example`, or `*`. The server's own pages always may."""
    allow_missing_origin: bool = False
    """Browsers always send an Origin; set this for other clients."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    """Addresses or networks whose X-Forwarded-For is believed. A proxy that is missing here is taken for the
    one address of all its customers."""

    per_minute: int = 30
    """Messages, choices and votes of one session in a minute, with `burst` at once. 0: no limit."""
    burst: int = 8
    peer_per_minute: int = 300
    """The same for one address: many customers may share one. 0: no limit."""
    peer_burst: int = 80

    max_sockets: int = 10_000
    """Open at the same time in this process."""
    hello_within: float = 10.0
    heartbeat: float = 25.0
    queue: int = 64
    """Frames that wait for a client that reads slowly."""
    patience: float = 10.0
    """How long that queue may stay full before the client is closed; it resumes from the history."""
    ack_every: float = 0.5
    """`Gateway.delivered` is called at most once in this time for a connection."""
    page: int = 200
    """Messages read from the history at once."""
    close_within: float = 5.0
    """For the close handshake; a client that does not answer is cut off."""
