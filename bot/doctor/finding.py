"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`text` says what is, `hint` what to do about it. Neither holds a secret or a customer's words."""

    state: State
    text: str
    hint: str = ""


class Skipped(Exception):
    """What this check needs is not there, and another check has said so."""


def ok(text: str) -> Finding:
    return Finding("ok", text)


def warning(text: str, hint: str = "") -> Finding:
    """It works, and somebody should look at it."""
    return Finding("warning", text, hint)


def wrong(text: str, hint: str = "") -> Finding:
    """It does not work, or not for long."""
    return Finding("wrong", text, hint)


def size(count: float) -> str:
    """Bytes for people: 750 MB, 1.2 GB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
