"""Documents as people make them, written by other libraries than those that read them, where there are any."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import docx
from fpdf import FPDF
from openpyxl import Workbook

SENTENCE = "You may return goods within thirty days of delivery, in their box, with the receipt. "

POSTAGE = "The postage for send-\ning it back is yours, a 30-\nday label costs 5 pounds."


def printed(path: Path, *, pages: int = 3, password: str = "") -> Path:
    """A policy with running header and page numbers; each page begins a section of two paragraphs."""
    pdf = FPDF()
    pdf.set_auto_page_break(False)
    if password:
        pdf.set_encryption(owner_password=password, user_password=password)
    for number in range(1, pages + 1):
        pdf.add_page()
        _line(pdf, "ACME Trading Ltd. - Returns", size=8)
        if number == 1:
            _line(pdf, "Returns policy", size=22, style="B")
        _line(pdf, f"Section {number}", size=15, style="B")
        pdf.set_font("helvetica", size=11)
        pdf.multi_cell(0, 6, SENTENCE * 3, align="L", new_x="LMARGIN", new_y="NEXT")
        pdf.ln(4)
        pdf.multi_cell(
            90, 6, "The postage for send-\ning it back is yours, a 30-\nday label costs 5 pounds.", align="L"
        )
        pdf.set_y(-15)
        _line(pdf, f"Page {number} of {pages}", size=8)
    pdf.output(str(path))
    return path


def tariff(path: Path) -> Path:
    """A printed table under a sentence, without lines between its cells."""
    pdf = FPDF()
    pdf.add_page()
    _line(pdf, "Deductions", size=15, style="B")
    _line(pdf, SENTENCE, size=11)
    pdf.ln(8)
    for row in ("The shoe box 20 yuan", "A cut label 10% of the price"):
        _line(pdf, row, size=11)
    pdf.output(str(path))
    return path


def _line(pdf: FPDF, text: str, *, size: int, style: str = "") -> None:
    pdf.set_font("helvetica", style, size)
    pdf.cell(0, 10, text, new_x="LMARGIN", new_y="NEXT")


def blank(path: Path) -> Path:
    """A PDF without words, as a scanner makes it."""
    pdf = FPDF()
    pdf.add_page()
    pdf.rect(20, 20, 100, 100)
    pdf.output(str(path))
    return path


def letter(path: Path) -> Path:
    """A Word document with all that is read of one."""
    document = docx.Document()
    document.add_heading("Warranty", 0)
    document.add_paragraph("Kettles carry two years.").add_run(" Hidden remark.").font.hidden = True
    document.add_heading("What is covered", 1)
    document.add_paragraph("Faults of material", style="List Bullet")
    table = document.add_table(rows=2, cols=3)
    for cell, text in zip((c for row in table.rows for c in row.cells), _TABLE, strict=True):
        cell.text = text
    table.cell(1, 1).merge(table.cell(1, 2))
    document.add_paragraph().add_run("How to claim").bold = True
    document.add_paragraph("Write to us.")
    document.save(str(path))
    return path


_TABLE = ("Model", "Years", "Country", "K1", "5", "")


def book(path: Path, **sheets: Sequence[Sequence[object]]) -> Path:
    """A workbook of these sheets."""
    workbook = Workbook()
    workbook.remove(workbook.active)  # type: ignore[arg-type]
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    workbook.save(path)
    return path


SIZES = (
    ("Women's sizes (cm)",),
    ("Size", "Chest", "Off"),
    ("S", 84, 0.5),
    ("M", 88.0, None),
    (),
    ("All sizes may differ by one centimetre.",),
)


def rewritten(path: Path, change: Callable[[str, bytes], bytes], **more: bytes) -> Path:
    """The same package with changed members, and more of them."""
    with zipfile.ZipFile(path) as package:
        members = {name: change(name, package.read(name)) for name in package.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in (members | more).items():
            package.writestr(name, data)
    return path
