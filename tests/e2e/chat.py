"""The widget as a customer has it before them."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import ConsoleMessage, Locator, Page, Response, TimeoutError, ViewportSize, expect

from tests.integration.server.process import ROOT, Server

SHOTS = ROOT / ".artifacts"
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE_MS = 20_000
WIDE: ViewportSize = {"width": 1280, "height": 720}
NARROW: ViewportSize = {"width": 390, "height": 844}
SAVED = "JSON.parse(localStorage.getItem(Object.keys(localStorage).find((k) => k.endsWith(':session'))))"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
"""WCAG 2.2 AA: without the tags axe leaves out what is new in 2.2, the size of targets."""
WORDS = {
    "en": {
        "launcher": "Chat with us",
        "close": "Close chat",
        "field": "Write a message",
        "retry": "Try again",
    },
    "zh": {"launcher": "在线客服", "close": "关闭对话窗口", "field": "请输入您的问题", "retry": "重新发送"},
}


class Chat:
    """`complaints` has what the browser reported: errors, broken policies, files that did not come."""

    def __init__(self, page: Page, server: Server, lang: str) -> None:
        self.page, self.server, self.lang = page, server, lang
        self.words = WORDS[lang]
        self.complaints: list[str] = []
        page.on("console", self._said)
        page.on("response", self._answered)

    @classmethod
    async def visit(cls, page: Page, server: Server, *, lang: str = "en") -> Chat:
        chat = cls(page, server, lang)
        await page.goto(f"{server.url}/?lang={lang}")
        await expect(chat.launcher).to_be_visible()
        return chat

    @property
    def launcher(self) -> Locator:
        return self.page.locator(".launcher")

    @property
    def field(self) -> Locator:
        return self.page.get_by_label(self.words["field"])

    @property
    def panel(self) -> Locator:
        return self.page.get_by_role("dialog")

    @property
    def answers(self) -> Locator:
        """Committed ones, without the greeting, which has no time."""
        return self.page.locator("li.row.bot", has=self.page.locator("time"))

    @property
    def own(self) -> Locator:
        return self.page.locator("li.row.own")

    @property
    def buttons(self) -> Locator:
        return self.page.locator(".replies button")

    @property
    def status(self) -> Locator:
        return self.page.locator(".head .status")

    @property
    def growing(self) -> Locator:
        """Text that is still coming in."""
        return self.page.locator("li.row[aria-busy=true]")

    @property
    def log(self) -> Locator:
        return self.page.locator(".log")

    @property
    def person(self) -> Locator:
        return self.page.locator("button.person")

    async def token(self) -> str:
        """The session's, as the page has kept it: it does so as soon as it is online."""
        return str((await self.saved())["token"])

    async def saved(self) -> dict[str, Any]:
        kept: dict[str, Any] = await self.page.evaluate(SAVED)
        return kept

    async def open(self) -> None:
        await self.launcher.click()
        await expect(self.panel).to_be_visible()

    async def say(self, text: str) -> None:
        await self.field.fill(text)
        await self.field.press("Enter")

    async def ask(self, text: str) -> Locator:
        """The committed answer's row."""
        before = await self.answers.count()
        await self.say(text)
        answer = self.answers.nth(before)
        await expect(answer).to_be_visible(timeout=PATIENCE_MS)
        return answer

    async def shot(self, name: str) -> None:
        """Into .artifacts, as somebody sees it who has waited for the movement to end."""
        SHOTS.mkdir(exist_ok=True)
        path = SHOTS / f"{name}.png"
        try:
            await self.page.screenshot(path=path, animations="disabled", timeout=PATIENCE_MS)
        except TimeoutError:  # a busy Chromium may leave out the one frame that it was to paint for it
            await self.page.bring_to_front()
            await self.page.screenshot(path=path, animations="disabled")

    async def violations(self, *, within: str = "document") -> list[str]:
        """What axe finds, one line each. Evaluated by the debugger, since the page's policy runs no foreign code."""
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: dict[str, Any] = await self.page.evaluate(f"(rules) => axe.run({within}, rules)", RULES)
        return [
            f"{v['id']}: {node['target']} {node['failureSummary']}"
            for v in found["violations"]
            for node in v["nodes"]
        ]

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.url}")


async def seen(row: Locator) -> str:
    """The words of a bubble, without the numbers of its sources."""
    return re.sub(r"\s+", " ", await row.locator(".bubble").inner_text()).strip()
