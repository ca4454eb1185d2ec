"""The example bots' own pages with the widget on them, as visitors meet them."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.e2e.chat import NARROW, WIDE, Chat
from tests.integration.server.process import Server

UNPAID = {
    "en": ("How long do you keep an order that I have not paid for yet?", "30 minutes", "1 source"),
    "zh": ("下了单还没付款，订单会保留多久？", "30分钟", "1 条参考来源"),
}


@pytest.fixture(params=["bank", "shop"])
def example(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_the_shop_answers_with_its_source(page: Page, shop: Server, lang: str) -> None:
    question, words, source = UNPAID[lang]
    chat = await Chat.visit(page, shop, lang=lang)
    await chat.open()
    answer = await chat.ask(question)
    await expect(answer).to_contain_text(words)
    await expect(answer.get_by_role("button", name=source)).to_be_visible()
    assert chat.complaints == []


@pytest.mark.parametrize(
    ("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")], ids=["wide", "narrow and dark"]
)
@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_everybody_can_use_the_page(
    page: Page, example: Server, lang: str, size: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    await page.emulate_media(
        color_scheme=scheme, reduced_motion="reduce"
    )  # what is still fading in has little contrast
    await page.set_viewport_size(size)
    chat = await Chat.visit(page, example, lang=lang)
    assert await chat.violations() == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await chat.open()
    assert await chat.violations() == []
    assert chat.complaints == []
