"""Every state of the widget: axe finds nothing (WCAG 2.2 AA), and a picture of it lies in .artifacts/."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.async_api import Page, expect

from tests.e2e.chat import NARROW, PATIENCE_MS, WIDE, Chat
from tests.e2e.wire import Wire
from tests.integration.server.process import Server

WORDS = {
    "en": {
        "streamed": "my debit card got stolen, how can i report it?",
        "stored": "How do I report my debit card as lost or stolen?",
        "ambiguous": "whats the interest rate?",
        "foreign": "can you book me a flight to mars",
        "waiting": "And what does it cost?",
        "agent": "Hello, this is Lin Yue. I have read the conversation and will look into it at once.",
        "system": "Lin Yue has joined the conversation.",
    },
    "zh": {
        "streamed": "我的借记卡被偷了，该怎么挂失呢",
        "stored": "借记卡丢了或者被偷了，怎么挂失？",
        "ambiguous": "利率",
        "foreign": "帮我订一张去火星的机票",
        "waiting": "需要多少费用？",
        "agent": "您好，我是林悦。我已看过以上对话，马上为您核实。",
        "system": "人工客服林悦已加入会话。",
    },
}
"""What is asked, and what a colleague writes: there is no console yet from which one could."""


Scheme = Literal["light", "dark"]


class Walk:
    """One chat, looked at after each step: by axe, wide in one colour scheme and narrow in the other."""

    def __init__(self, chat: Chat, wire: Wire, *, wide: Scheme, narrow: Scheme) -> None:
        self.chat, self.wire, self.wide, self.narrow = chat, wire, wide, narrow
        self.words = WORDS[chat.lang]

    async def look(self, state: str) -> None:
        page, name = self.chat.page, f"{state}-{self.chat.lang}"
        await page.mouse.move(0, 0)
        assert await self.chat.violations() == [], state
        await self.chat.shot(f"{name}-{self.wide}-wide")
        await page.set_viewport_size(NARROW)
        await page.emulate_media(color_scheme=self.narrow)
        within = "document.querySelector('kefu-chat')"
        assert await self.chat.violations(within=within) == [], f"{state}, narrow"
        assert await page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
        await self.chat.shot(f"{name}-{self.narrow}-narrow")
        await page.set_viewport_size(WIDE)
        await page.emulate_media(color_scheme=self.wide)

    async def greeting(self) -> None:
        await self.look("closed")
        await self.chat.open()
        await expect(self.chat.page.locator(".suggestions")).to_be_visible()
        await self.look("greeting")

    async def streaming(self) -> None:
        before = await self.chat.answers.count()
        self.wire.hold("final")
        await self.chat.say(self.words["streamed"])
        await expect(self.chat.growing).to_be_visible(timeout=PATIENCE_MS)
        await self.look("streaming")
        self.wire.release()
        await expect(self.chat.answers).to_have_count(before + 1)

    async def sources(self) -> None:
        answer = await self.chat.ask(self.words["stored"])
        await answer.locator(".meta > button").click()
        await expect(answer.locator(".source")).to_be_visible()
        await answer.locator(".thumb").first.click()
        await expect(answer.locator(".thanks")).not_to_be_empty()
        await self.look("sources")

    async def quick_replies(self) -> None:
        await self.chat.ask(self.words["ambiguous"])
        await expect(self.chat.buttons.nth(2)).to_be_visible()
        await self.look("replies")

    async def refusal(self) -> None:
        await self.chat.ask(self.words["foreign"])
        await expect(self.chat.person).to_have_class("person offered")
        await expect(self.chat.buttons).to_have_count(0)
        await self.look("refusal")

    async def error(self) -> None:
        self.wire.refuse("unforeseen")
        await self.chat.say(self.words["waiting"])
        await expect(self.chat.page.locator("li.own.failed")).to_be_visible()
        await self.look("error")
        await self.chat.page.locator("li.own.failed button").last.click()
        await expect(self.chat.page.locator("li.own.failed")).to_have_count(0)

    async def menus(self) -> None:
        page = self.chat.page
        await page.locator(".menu > .icon").click()
        await self.look("menu")
        await page.locator(".item").last.click()
        await self.look("question")
        await page.keyboard.press("Escape")
        await expect(page.locator(".menu-panel")).to_have_count(0)

    async def colleague(self) -> None:
        """The last steps: the server knows nothing of what is told here."""
        page, number = self.chat.page, max(self.wire.finals()) + 1
        extra = {"at": "2026-11-26T09:00:00Z"}
        self.wire.tell(type="status", status="human")
        self.wire.tell(type="final", seq=number, role="system", text=self.words["system"], **extra)
        self.wire.tell(type="final", seq=number + 1, role="agent", text=self.words["agent"], **extra)
        await expect(page.locator("li.row.agent")).to_be_visible()
        await self.look("colleague")
        await page.locator(".head > .icon").click()
        self.wire.tell(type="final", seq=number + 2, role="agent", text=self.words["agent"], **extra)
        await expect(page.locator(".peek")).to_be_visible()
        await self.look("peek")
        await page.locator(".peek-open").click()
        self.wire.tell(type="status", status="closed")
        await expect(page.locator(".log > .system")).to_be_visible()
        await self.look("ended")

    async def offline(self) -> None:
        page = self.chat.page
        await page.context.set_offline(True)
        await expect(page.locator(".dot.offline")).to_be_visible(timeout=PATIENCE_MS)
        await self.chat.say(self.words["waiting"])
        await expect(page.locator("li.own.queued")).to_be_visible()
        await self.look("offline")


@pytest.mark.parametrize(("lang", "wide", "narrow"), [("en", "light", "dark"), ("zh", "dark", "light")])
async def test_everybody_can_use_every_state(
    page: Page, bank: Server, lang: str, wide: Scheme, narrow: Scheme
) -> None:
    await page.emulate_media(color_scheme=wide, reduced_motion="reduce")
    wire = await Wire.tap(page)
    walk = Walk(await Chat.visit(page, bank, lang=lang), wire, wide=wide, narrow=narrow)
    await walk.greeting()
    await walk.quick_replies()
    await walk.refusal()
    await walk.streaming()
    await walk.sources()
    await walk.error()
    await walk.menus()
    await walk.colleague()
    assert walk.chat.complaints == []
    await walk.offline()
