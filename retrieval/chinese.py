"""Chinese in simplified and in traditional characters, by OpenCC's dictionaries: microseconds a text."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

Way = Literal["t2s", "s2t", "s2twp"]
"""OpenCC's names: t is traditional, s simplified, twp with Taiwan's words."""


def simplified(text: str) -> str:
    """In simplified characters; what is no Chinese stays as it is."""
    return converted("t2s", text)


def converted(way: Way, text: str) -> str:
    """Half a surrogate pair is no character that could be converted: such a text stays as it is."""
    try:
        found: str = _converter(way).convert(text)
    except UnicodeEncodeError:
        return text
    return found


@lru_cache(maxsize=8)
def _converter(way: Way) -> Any:
    """Thread-safe; the first call reads dictionaries for some ten milliseconds."""
    from opencc import OpenCC

    return OpenCC(way)
