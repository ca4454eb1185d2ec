"""A page that a browser printed: Chinese letters, headings and margins as people have them in their PDFs."""

from __future__ import annotations

import asyncio
from pathlib import Path

from playwright.async_api import Page

from bot.documents import Passage
from bot.documents.parse import parse

POLICY = """<!DOCTYPE html><html lang="zh"><head><meta charset="utf-8"><title>退换货政策</title></head><body>
<h1>橡果商店退换货政策</h1>
<p>本政策适用于在橡果商店购买的所有商品，自2026年1月1日起施行。定制商品另有约定的，从其约定；没有约定的，适用本政策。</p>
<h2>一、无理由退货</h2><p>自签收之日起七天内，商品完好、附件齐全的，可以无理由退货。</p>
<p>内衣、食品和已拆封的软件不适用。</p><h2 style="break-before: page">二、退款时间</h2>
<p>验收合格后三个工作日内，按原支付方式退款。</p></body></html>"""


async def test_a_printed_chinese_policy(page: Page, tmp_path: Path) -> None:
    await page.set_content(POLICY)
    path = tmp_path / "returns-policy.zh.pdf"
    await page.pdf(path=path, display_header_footer=True, margin={"top": "2.5cm", "bottom": "2.5cm"})
    found = await asyncio.to_thread(lambda: list(parse(path)))
    assert [
        (item.path[1:], item.text.split("\n"), item.place) for item in found if isinstance(item, Passage)
    ] == [
        (
            (),
            [
                "本政策适用于在橡果商店购买的所有商品，自2026年1月1日起施行。定制商品另有约定的，从其约定；没有约定的，适用本政策。"
            ],
            "page=1",
        ),
        (
            ("一、无理由退货",),
            [
                "自签收之日起七天内，商品完好、附件齐全的，可以无理由退货。",
                "内衣、食品和已拆封的软件不适用。",
            ],
            "page=1",
        ),
        (("二、退款时间",), ["验收合格后三个工作日内，按原支付方式退款。"], "page=2"),
    ]
    assert {item.path[0] for item in found if isinstance(item, Passage)} == {"橡果商店退换货政策"}
