"""What a client may say, and its limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from connectors.port import Vote

VERSION = 1
MAX_FRAME = 16 * 1024
"""Bytes of one client frame."""
MAX_VALUE = 1_000
"""Characters of a quick reply's value."""


@dataclass(frozen=True, slots=True)
class Hello:
    token: str | None
    last_seq: int
    locale: str | None


@dataclass(frozen=True, slots=True)
class Say:
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Choose:
    id: str
    of: int
    value: str


@dataclass(frozen=True, slots=True)
class Rate:
    of: int
    vote: Vote | None


@dataclass(frozen=True, slots=True)
class Ack:
    seq: int


@dataclass(frozen=True, slots=True)
class Ping:
    pass


ClientFrame: TypeAlias = Hello | Say | Choose | Rate | Ack | Ping


def subject(frame: ClientFrame) -> str | int | None:
    """What an error about this frame refers to."""
    match frame:
        case Say(id=ref) | Choose(id=ref):
            return ref
        case Rate(of=of):
            return of
        case _:
            return None
