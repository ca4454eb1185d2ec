"""Small rules about texts."""

from __future__ import annotations

import unicodedata


def normalised(text: str) -> str:
    """One spelling of texts that differ in width, case and blanks only."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def one_line(text: str, limit: int = 80) -> str:
    """For messages: printable, on one line, shortened."""
    clean = "".join(char if char.isprintable() else " " for char in text)
    short = " ".join(clean.split())
    return short if len(short) <= limit else short[: limit - 1] + "…"


def script_language(text: str) -> str:
    """`zh` where there is any Chinese character, else `en`."""
    return "zh" if any("\u3400" <= char <= "\u9fff" for char in text) else "en"
