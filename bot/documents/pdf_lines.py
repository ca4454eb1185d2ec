"""From the lines of printed pages to headings and paragraphs. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from bot.documents.model import Heading, Text
from bot.documents.passages import WIDE
from bot.documents.tables import ended

MARGIN = 0.08
"""Share of a page's height at its top and foot where headers and footers stand."""
LARGER = 1.15
"""Times the size of the body's letters from which on a short line is a heading."""
MAX_HEADING = 100
MAX_BOLD = 60
WIDE_GAP = 1.45
"""Times the usual distance of lines from which on a new paragraph begins."""
SHORT = 0.75
"""Share of the column's width that a line must fill to be one that goes on."""

_SENTENCE_END = re.compile(r"[。；;.，,:：、][\"'”’」）)]*$")
_ENDED = re.compile(r"[。！？；：.!?;:…][\"'”’」』）)】》]*$")
_NUMBERED = re.compile(
    r"(第[〇零一二三四五六七八九十百\d]+[章节条部分]|[一二三四五六七八九十]+[、.．])\s*\S.{0,30}"
)
_ITEM = re.compile(r"[•·●▪■◆○–—*-]\s|\(?[0-9]{1,2}[.)、）]\s?\D|[（(][一二三四五六七八九十\d]+[）)]|[①-⑳]")
_CONTENTS = re.compile(r"(\.\s?){4,}\s*\d+\s*$|[…·]{2,}\s*\d+\s*$")
"""A line of a table of contents."""
_BROKEN = re.compile(r"\w-$")
_BULLET = re.compile(r"^[•·●▪■◆○]\s*")
_PAGE_NUMBER = re.compile(
    r"[-–—\s]*(page|p\.|第)?\s*\d{1,4}\s*(页)?\s*((of|/|，?\s*共)\s*\d{1,4}\s*(页)?)?[-–—\s]*", re.I
)
_PRINTED = re.compile(
    r"(file|https?)://\S+(\s+\d+\s*/\s*\d+)?|\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4},?\s\S{0,3}\s?\d{1,2}:\d\d.*"
)
"""What a browser prints at head and foot: address, time."""
_WIDE = re.compile(f"[{WIDE}]")


@dataclass(frozen=True, slots=True)
class Line:
    """Sizes and places in points; `bottom` counts from the foot of the page, whose height is `height`."""

    text: str
    page: int
    height: float
    size: float
    left: float
    right: float
    top: float
    bottom: float
    bold: bool


def blocks_of_lines(lines: Sequence[Line]) -> Iterator[Heading | Text]:
    lines = [_folded(line) for line in lines if line.text.strip() and not _CONTENTS.search(line.text)]
    if lines and (kept := _without_margins(lines, _body(lines))):
        yield from _Reading(kept).blocks()


def _body(lines: Sequence[Line]) -> float:
    """The size in which most letters are printed."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[round(line.size, 1)] += len(line.text)
    return sizes.most_common(1)[0][0]


def _without_margins(lines: Sequence[Line], body: float) -> list[Line]:
    """Page numbers, and what stands at the same edge of several pages, are no matter of the document."""
    pages = len({line.page for line in lines})
    names = [_margin(line, body) for line in lines]
    often = Counter(name for name, _ in {(name, line.page) for name, line in zip(names, lines, strict=True)})
    least = max(2, 0.4 * pages)
    return [
        line
        for name, line in zip(names, lines, strict=True)
        if not (name and (often[name] >= least or _furniture(line)))
    ]


def _margin(line: Line, body: float) -> str | None:
    """The edge and what stands there, whatever its numbers; None for a line within the page.

    Of large letters the numbers count: "Section 2" at the top of a page is no header.
    """
    edge = MARGIN * line.height
    place = "head" if line.bottom > line.height - edge else "foot" if line.top < edge else ""
    text = line.text if line.size >= LARGER * body else re.sub(r"[0-9]+", "#", line.text)
    return f"{place} {text}" if place else None


def _furniture(line: Line) -> bool:
    return bool(_PAGE_NUMBER.fullmatch(line.text) or _PRINTED.fullmatch(line.text))


class _Reading:
    """All lines of a document, and what is usual among them."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self.body = _body(lines)
        body = [line for line in self.lines if abs(line.size - self.body) < 0.6]
        self.left, self.right = min(line.left for line in body), max(line.right for line in body)
        steps = [a.bottom - b.bottom for a, b in pairwise(body) if a.page == b.page]
        usual = [step for step in steps if 0.8 * self.body < step < 3 * self.body]
        self.step = median(usual) if usual else 1.5 * self.body
        self.bold = (
            sum(len(line.text) for line in body if line.bold) > sum(len(line.text) for line in body) / 2
        )
        larger = {round(line.size) for line in self.lines if self._larger(line)}
        self.levels = {size: level for level, size in enumerate(sorted(larger, reverse=True), 1)}

    def blocks(self) -> Iterator[Heading | Text]:
        taken: list[Line] = []
        level = 0
        for line in self.lines:
            here = self._level(line)
            if taken and (here != level or self._begins(taken[-1], line, heading=bool(level))):
                yield _block(taken, level)
                taken = []
            taken.append(line)
            level = here
        yield _block(taken, level)

    def _larger(self, line: Line) -> bool:
        return line.size >= LARGER * self.body and len(line.text) <= MAX_HEADING

    def _level(self, line: Line) -> int:
        """Of a heading; 0 for other lines."""
        if not re.search(r"[^\W\d_]", line.text) or _SENTENCE_END.search(line.text):
            return 0
        if self._larger(line):
            return self.levels[round(line.size)]
        below = len(self.levels) + 1
        if line.bold and not self.bold and len(line.text) <= MAX_BOLD and not _ITEM.match(line.text):
            return below
        short = line.right < self.left + SHORT * (self.right - self.left)
        return below + 1 if short and _NUMBERED.fullmatch(line.text) and not _ENDED.search(line.text) else 0

    def _begins(self, before: Line, line: Line, *, heading: bool) -> bool:
        """Whether a block of the same kind begins with this line."""
        if before.page != line.page:
            return heading or bool(_ENDED.search(before.text)) or bool(_ITEM.match(line.text))
        step = before.bottom - line.bottom
        if step > WIDE_GAP * self.step * max(1.0, line.size / self.body) or step < -self.body:
            return True
        if heading or _BROKEN.search(before.text):
            return False
        short = before.right < self.left + SHORT * (self.right - self.left)
        indented = line.left > before.left + 1.2 * self.body and before.left < self.left + self.body
        return short or indented or bool(_ITEM.match(line.text))


def _block(lines: Sequence[Line], level: int) -> Heading | Text:
    place = f"page={lines[0].page}"
    text = lines[0].text
    for line in lines[1:]:
        text = _joined(text, line.text)
    return Heading(level, text, place) if level else Text(ended(_BULLET.sub("", text)), place)


def _joined(before: str, after: str) -> str:
    if _BROKEN.search(before):
        # "30-day" keeps its hyphen, "deli-very" was only broken there.
        return (before[:-1] if before[-2].islower() and after[0].islower() else before) + after
    apart = "" if _WIDE.match(before[-1]) and _WIDE.match(after[0]) else " "
    return f"{before}{apart}{after}"


def _folded(line: Line) -> Line:
    """Printers write radicals and ligatures where letters were meant."""
    text = "".join(
        unicodedata.normalize("NFKC", c) if "\u2e80" <= c <= "\u2fdf" or "\ufb00" <= c <= "\ufb06" else c
        for c in " ".join(line.text.split())
    )
    return replace(line, text=text)
