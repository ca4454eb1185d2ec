"""The example bots' own pages with the widget on them, as visitors meet them."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.e2e.chat import NARROW, WIDE, Chat
from tests.integration.server.process import Server

STORED = {
    ("bank", "en"): ("How do I report my debit card as lost or stolen?", "go to Cards > Freeze"),
    ("bank", "zh"): ("借记卡丢了或者被偷了，怎么挂失？", "400-555-0119"),
    ("shop", "en"): ("How long do you keep an order that I have not paid for yet?", "30 minutes"),
    ("shop", "zh"): ("下了单还没付款，订单会保留多久？", "30分钟"),
}
SOURCE, HELPFUL = {"en": "1 source", "zh": "1 条参考来源"}, {"en": "Helpful", "zh": "有帮助"}
THANKS = {"en": "Thank you", "zh": "感谢"}


@pytest.fixture(params=["bank", "shop"])
def example(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_a_stored_question_is_answered_with_its_source(page: Page, example: Server, lang: str) -> None:
    question, words = STORED[example.folder.name, lang]
    chat = await Chat.visit(page, example, lang=lang)
    await chat.open()
    answer = await chat.ask(question)
    await expect(answer).to_contain_text(words)
    await answer.get_by_role("button", name=SOURCE[lang]).click()
    await expect(answer.locator(".source-title")).to_contain_text(question)
    await expect(chat.own.locator(".delivery.read")).to_be_visible()
    await answer.get_by_role("button", name=HELPFUL[lang], exact=True).click()
    await expect(answer.locator(".thanks")).to_contain_text(THANKS[lang])
    assert chat.complaints == []


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_everybody_can_use_the_page(page: Page, example: Server, lang: str) -> None:
    """Each bot's page in one language wide and light, in the other narrow and dark."""
    wide = (example.folder.name == "bank") == (lang == "en")
    size: ViewportSize = WIDE if wide else NARROW
    scheme: Literal["light", "dark"] = "light" if wide else "dark"
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
