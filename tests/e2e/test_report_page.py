"""A report in a real browser: axe finds nothing in either language, and its tables can be sorted and searched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, ViewportSize

from bot.cli.evaluation_page import page as drawn
from tests.e2e.chat import AXE, NARROW, RULES, WIDE
from tests.unit.cli.test_evaluation_page import evaluation, shown


@pytest.fixture
def address(tmp_path: Path) -> str:
    path = tmp_path / "report.html"
    path.write_text(drawn(shown(evaluation(right=0.9), evaluation(right=0.6))), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def axe() -> str:
    return AXE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("locale", "scheme", "size"), [("en-GB", "light", WIDE), ("zh-CN", "dark", NARROW)], ids=["en", "zh"]
)
async def test_a_report_reads_well_for_everybody(
    browser: Browser,
    address: str,
    axe: str,
    locale: str,
    scheme: Literal["light", "dark"],
    size: ViewportSize,
) -> None:
    context = await browser.new_context(locale=locale, color_scheme=scheme, viewport=size)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(address)
    assert await page.evaluate("document.documentElement.lang") == locale[:2]
    await page.evaluate(axe)
    found = await page.evaluate(f"axe.run(document, {json.dumps(RULES)})")
    assert [broken["id"] for broken in found["violations"]] == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    rows = page.locator("main:visible table[data-search] >> nth=-1").locator("tbody tr:visible")
    before = await rows.count()
    await page.locator("main:visible input[type=search] >> nth=-1").fill("_3")
    assert (before, await rows.count()) == (9, 1)
    assert complaints == []
    await context.close()


async def test_a_table_is_sorted_by_its_numbers(browser: Browser, address: str) -> None:
    context = await browser.new_context(locale="en-GB")
    page = await context.new_page()
    await page.goto(address)
    table = page.locator("main:visible table[data-search] >> nth=-1")
    head = table.locator("th", has_text="tested")
    await head.get_by_role("button").click()
    cells = [int(text) for text in await table.locator("tbody tr td:nth-child(6)").all_inner_texts()]
    assert cells == sorted(cells)
    await head.get_by_role("button").click()
    again = [int(text) for text in await table.locator("tbody tr td:nth-child(6)").all_inner_texts()]
    assert again == sorted(cells, reverse=True)
    assert await head.get_attribute("aria-sort") == "descending"
    await page.get_by_role("link", name="中文").click()
    assert await page.evaluate("document.documentElement.lang") == "zh"
    await context.close()
