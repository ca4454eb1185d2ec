"""A Chinese glyph is a glyph: no box, and no two alike."""

from __future__ import annotations

from playwright.async_api import Page

DRAWN = """(texts) => texts.map((text) => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 64;
  const brush = canvas.getContext("2d");
  brush.font = "48px sans-serif";
  brush.fillText(text, 4, 52);
  return Array.from(brush.getImageData(0, 0, 64, 64).data).filter((_, at) => at % 4 === 3).join();
})"""
UNASSIGNED = "\U0003fffd"
"""No font has a glyph for it, so it is drawn as the box."""


async def test_chinese_glyphs_are_drawn_and_are_no_boxes(page: Page) -> None:
    ke, fu, box, blank = await page.evaluate(DRAWN, ["客", "服", UNASSIGNED, " "])
    assert len({ke, fu, box, blank}) == 4
