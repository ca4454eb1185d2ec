"""Chinese in simplified and in traditional characters, by OpenCC's dictionaries: microseconds a text."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from opencc import OpenCC

Way = Literal["t2s", "s2t", "s2twp"]
"""OpenCC's names: t is traditional, s simplified, twp with Taiwan's words."""

_SIMPLIFY = OpenCC("t2s")
"""Made here, in milliseconds: its files are not to be read when the first message comes."""


def simplified(text: str) -> str:
    """In simplified characters; what is no Chinese stays as it is. Thread-safe."""
    return text if text.isascii() else _converted(_SIMPLIFY, text)


def converted(way: Way, text: str) -> str:
    """The same in any of the ways; the first text of each reads its dictionaries."""
    return _converted(_converter(way), text)


def _converted(by: OpenCC, text: str) -> str:
    """Half a surrogate pair is no character that could be converted: such a text stays as it is."""
    try:
        found: str = by.convert(text)
    except UnicodeEncodeError:
        return text
    return found


@lru_cache(maxsize=8)
def _converter(way: Way) -> OpenCC:
    return OpenCC(way)
