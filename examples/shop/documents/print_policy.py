"""Prints the returns policy into knowledge/: `python examples/shop/documents/print_policy.py`.

Chromium embeds outlines as TrueType compactly and as CFF (most Chinese fonts for Linux) glyph by glyph, in a file of
twice the size. So the letters that a page uses are turned into TrueType first. Wants Chromium, Noto Sans CJK and
fontTools.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

HERE = Path(__file__).resolve().parent
KNOWLEDGE = HERE.parent / "knowledge"
NOTO = Path("/usr/share/fonts/opentype/noto")
SIMPLIFIED = 2
"""Number of the simplified Chinese font in the collection."""
WEIGHTS = {"Regular": 400, "Bold": 700}


def print_policy(lang: str, folder: Path) -> None:
    page = (HERE / f"returns-policy.{lang}.html").read_text(encoding="utf-8")
    faces = ""
    for weight, number in WEIGHTS.items():
        _true_type(NOTO / f"NotoSansCJK-{weight}.ttc", set(page), folder / f"{weight}.ttf")
        faces += (
            f'@font-face {{ font-family: "Printed"; font-weight: {number}; src: url("{weight}.ttf"); }}\n'
        )
    style = (HERE / "print.css").read_text(encoding="utf-8")
    (folder / "print.css").write_text(
        faces + re.sub(r'"Noto Sans CJK SC"', '"Printed"', style), encoding="utf-8"
    )
    (folder / "page.html").write_text(page, encoding="utf-8")
    chromium = shutil.which("chromium") or "chromium-browser"
    out = KNOWLEDGE / f"returns-policy.{lang}.pdf"
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-pdf-header-footer",
        f"--print-to-pdf={out}",
    ]
    command = [chromium, *options, (folder / "page.html").as_uri()]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603


def _true_type(source: Path, letters: set[str], out: Path) -> None:
    """A font of these letters alone, its cubic outlines as quadratic ones."""
    font = TTFont(source, fontNumber=SIMPLIFIED, lazy=True)
    known, outlines = font.getBestCmap(), font.getGlyphSet()
    cmap = {ord(letter): known[ord(letter)] for letter in sorted(letters) if ord(letter) in known}
    names = [".notdef", *dict.fromkeys(cmap.values())]
    glyphs, metrics = {}, {}
    for name in names:
        pen = TTGlyphPen(None)
        outlines[name].draw(Cu2QuPen(pen, max_err=1.0, reverse_direction=True))
        glyphs[name] = pen.glyph()
        metrics[name] = font["hmtx"][name]
    builder = FontBuilder(font["head"].unitsPerEm, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap(cmap)
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(metrics)
    builder.setupHorizontalHeader(ascent=font["hhea"].ascent, descent=font["hhea"].descent)
    builder.setupNameTable({"familyName": "Printed", "styleName": out.stem})
    builder.setupOS2(sTypoAscender=font["hhea"].ascent, sTypoDescender=font["hhea"].descent)
    builder.setupPost()
    builder.save(out)


if __name__ == "__main__":
    for language in ("zh", "en"):
        with tempfile.TemporaryDirectory() as scratch:
            print_policy(language, Path(scratch))
