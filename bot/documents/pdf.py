"""PDF: lines with their sizes, in reading order; what they mean is told by `pdf_lines`."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator, Sequence
from math import hypot
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from bot.documents.model import Block, Flaw, Heading, Unusable
from bot.documents.pdf_lines import Line, blocks_of_lines

_HYPHENS = (0x02, 0xFFFE)
"""What PDFium gives in place of a hyphen at the end of a line; the line end is gone then."""
_BREAKS = (0x0A, 0x0D)
_BOLD = re.compile(r"bold|black|heavy|semibold|demi", re.I)
_BOLD_WEIGHT = 600
_NAME = 128
_OCR = "Let a text recognition (OCR) write the words into it first."


def read_pdf(path: Path) -> Iterator[Block]:
    document = _open(path)
    try:
        yield Heading(0, document.get_metadata_value("Title"))
        lines: list[Line] = []
        silent: list[int] = []
        for number in range(len(document)):
            try:
                found = list(_lines(document[number], number + 1))
            except pdfium.PdfiumError:
                yield Flaw(f"page {number + 1} is damaged.", "Print the file to PDF again.")
                continue
            lines += found
            silent += [] if found else [number + 1]
        if not lines:
            raise Unusable("holds no text: its pages are pictures, or empty.", _OCR)
        if silent:
            yield Flaw(f"no text on {_pages(silent)}: pictures, or empty.", _OCR)
        yield from blocks_of_lines(lines)
    finally:
        document.close()


def _open(path: Path) -> pdfium.PdfDocument:
    with path.open("rb") as stream:
        if b"%PDF-" not in stream.read(1024):
            raise Unusable("is not a PDF, whatever its name says.", "Give it the ending of what it is.")
    try:
        return pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise Unusable("is protected by a password.", "Save it without one.") from None
        raise Unusable("is damaged.", "Print the file to PDF again.") from None


def _pages(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:10])) + (", ..." if len(numbers) > 10 else "")
    return f"page {shown}" if len(numbers) == 1 else f"pages {shown}"


def _lines(page: pdfium.PdfPage, number: int) -> Iterator[Line]:
    text = page.get_textpage()
    try:
        height = page.get_height()
        codes: list[int] = []
        start = 0
        count = raw.FPDFText_CountChars(text)
        for at in range(count):
            code = raw.FPDFText_GetUnicode(text, at)
            if code in _BREAKS:
                yield from _line(text, codes, start, number=number, height=height)
                codes, start = [], at + 1
            else:
                codes.append(code)
        yield from _line(text, codes, start, number=number, height=height)
    finally:
        text.close()
        page.close()


def _line(
    text: pdfium.PdfTextPage, codes: Sequence[int], start: int, *, number: int, height: float
) -> Iterator[Line]:
    seen = [at for at, code in enumerate(codes) if code > 0x20 and code not in _HYPHENS]
    if not seen:
        return
    first, last = _box(text, start + seen[0]), _box(text, start + seen[-1])
    middle = start + seen[len(seen) // 2]
    yield Line(
        text=_written(codes),
        page=number,
        height=height,
        size=_size(text, start + seen[0]),
        left=first.left,
        right=last.right,
        top=first.top,
        bottom=min(first.bottom, last.bottom),
        bold=_bold(text, start + seen[0]) and _bold(text, middle),
    )


def _written(codes: Sequence[int]) -> str:
    chars = []
    for at, code in enumerate(codes):
        if code in _HYPHENS:
            # "30-day" keeps its hyphen, "deli-very" was only broken there.
            chars.append("-" if at and chr(codes[at - 1]).isdigit() else "")
        else:
            chars.append(chr(code))
    return "".join(chars).encode("utf-16", "surrogatepass").decode("utf-16", "ignore")


def _box(text: pdfium.PdfTextPage, at: int) -> Any:
    box = raw.FS_RECTF()
    raw.FPDFText_GetLooseCharBox(text, at, box)
    return box


def _size(text: pdfium.PdfTextPage, at: int) -> float:
    """As printed, whether a producer scales its letters by the font or by the matrix."""
    matrix = raw.FS_MATRIX()
    scale = hypot(matrix.b, matrix.d) if raw.FPDFText_GetMatrix(text, at, matrix) else 1.0
    return float(raw.FPDFText_GetFontSize(text, at)) * (scale or 1.0)


def _bold(text: pdfium.PdfTextPage, at: int) -> bool:
    if raw.FPDFText_GetFontWeight(text, at) >= _BOLD_WEIGHT:
        return True
    name = ctypes.create_string_buffer(_NAME)
    raw.FPDFText_GetFontInfo(text, at, name, _NAME, None)
    return bool(_BOLD.search(name.value.decode("utf-8", "ignore")))
