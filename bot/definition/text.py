"""How texts of a bot folder are shown in messages."""

from __future__ import annotations


def one_line(text: str, limit: int = 80) -> str:
    """Printable, on one line, shortened to `limit` characters."""
    clean = "".join(char if char.isprintable() else " " for char in text)
    short = " ".join(clean.split())
    return short if len(short) <= limit else short[: limit - 1] + "…"
