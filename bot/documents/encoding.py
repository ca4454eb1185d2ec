"""In which encoding a text was saved, by rules for what people meet.

UTF-8 and UTF-16 (what Excel calls "Unicode text"), GB18030 (what a Chinese Excel calls CSV) and the code pages
Big5 and Windows-1252.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from bot.documents.model import Unusable

SAMPLE = 256 * 1024
"""Bytes that are looked at."""
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_WIDE_SHARE = 0.05
_HAN_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Encoding:
    """`name` as Python knows it; `mark`: bytes before the text."""

    name: str
    mark: int = 0

    @property
    def wide(self) -> bool:
        return self.name.startswith("utf-16")


def told_encoding(sample: bytes) -> Encoding:
    """The encoding of a file that begins with `sample`; UTF-8 where nothing better explains the bytes."""
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return Encoding(name, len(mark))
    if wide := _wide(sample):
        return Encoding(wide)
    if _mostly_utf8(sample):
        return Encoding("utf-8")
    return Encoding("gb18030" if _chinese(sample) else _code_page(sample))


def decoded(data: bytes) -> str:
    """A whole text. Raises Unusable."""
    encoding = told_encoding(data[:SAMPLE])
    try:
        text = data[encoding.mark :].decode(encoding.name)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unusable(
            f"line {line} cannot be read in {encoding.name.upper()}.", "Save the file as UTF-8."
        ) from None
    if "\0" in text:
        raise Unusable("is not a text, whatever its name says.", "Give it the ending of what it is.")
    return text


def _wide(sample: bytes) -> str | None:
    """UTF-16 without a mark: in every second place stand noughts, in the others none."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    least = max(1, int(len(sample) / 2 * _WIDE_SHARE))
    if odd >= least and not even:
        return "utf-16-le"
    return "utf-16-be" if even >= least and not odd else None


def _mostly_utf8(sample: bytes) -> bool:
    """Damage in some places, or the cut at the end, makes no other file of it."""
    text = sample.decode("utf-8", "replace")
    lost = text.count("\ufffd")
    return sum(char > "\x7f" for char in text) >= 2 * lost


def _chinese(sample: bytes) -> bool:
    """Whether GB18030 explains the bytes: nearly all pairs lie where its common characters do."""
    pairs = common = at = 0
    while at < len(sample) - 1:
        first, second = sample[at], sample[at + 1]
        if first < 0x80:
            at += 1
        elif first not in (0x80, 0xFF) and (0x40 <= second <= 0xFE and second != 0x7F):
            pairs, common, at = pairs + 1, common + (first >= 0xA1 and second >= 0xA1), at + 2
        elif 0x30 <= second <= 0x39:
            pairs, at = pairs + 1, at + 4
        else:
            return False
    return pairs > 0 and common >= pairs * _HAN_SHARE


def _code_page(sample: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=["big5", "cp1252"]).best()
    return best.encoding if best else "utf-8"
