"""Rows of tables as sentences that can be read without the table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from retrieval.text import script_lang

_NUMBER = re.compile(r"[\d\s.,%+\-–~/:¥$€£]+")
_ENDED = re.compile(r"[.!?;:。！？；：…][\"'”’」』）)】》]*$")
_BLANKS = re.compile(r"\s+")


def readable(rows: Iterable[Sequence[str]], *, head: Sequence[str] | None = None) -> Iterator[str]:
    """One text a row. Without `head` the first row is it, if it looks like one."""
    for cells in rows:
        row = [_BLANKS.sub(" ", cell).strip() for cell in cells]
        if not any(row):
            continue
        if head is None:
            head = row if looks_like_head(row) else ()
            if head:
                continue
        if text := sentence(head, row):
            yield text


def looks_like_head(cells: Sequence[str]) -> bool:
    """At least two names, no number among them, none twice."""
    names = [cell for cell in cells if cell.strip()]
    return len(names) > 1 and len({*names}) == len(names) and not any(map(_NUMBER.fullmatch, names))


def sentence(head: Sequence[str], row: Sequence[str]) -> str:
    """`Size: M, chest (cm): 96.`"""
    heads = [*head, *[""] * (len(row) - len(head))]
    pairs = [(name, cell) for name, cell in zip(heads, row, strict=False) if cell]
    chinese = script_lang(" ".join(part for pair in pairs for part in pair)) == "zh"
    colon, comma = ("：", "，") if chinese else (": ", ", ")
    return ended(comma.join(f"{name}{colon}{cell}" if name else cell for name, cell in pairs))


def ended(text: str) -> str:
    """With a mark at its end: items and rows are said one after the other."""
    if not text or _ENDED.search(text):
        return text
    return text + ("。" if script_lang(text) == "zh" else ".")
