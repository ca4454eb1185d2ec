"""Keyboard alone, and with little movement."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.chat import NARROW, PATIENCE_MS, Chat
from tests.e2e.wire import Wire
from tests.integration.server.process import Server

STOPS = 40
"""More than there are on the page in these chats."""
MOVING = "(root) => root.getRootNode().getAnimations().filter((a) => a.playState === 'running').length"


async def tab_to(page: Page, what: Locator, *, key: str = "Shift+Tab") -> None:
    """By the key alone, as somebody does who has no mouse; the place is visible once it is reached."""
    for _ in range(STOPS):
        await page.keyboard.press(key)
        if await what.evaluate("(element) => element.matches(':focus-visible')"):
            await expect(what).to_be_in_viewport()
            return
    pytest.fail(f"{what} cannot be reached by {key}")


async def test_the_keyboard_alone_is_enough(page: Page, bank: Server) -> None:
    chat = await Chat.visit(page, bank)
    await tab_to(page, chat.launcher, key="Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(chat.field).to_be_focused()
    await page.keyboard.type("whats the interest")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("rate?")
    await expect(chat.field).to_have_value("whats the interest\nrate?")
    await page.keyboard.press("Enter")
    await expect(chat.buttons.nth(2)).to_be_visible(timeout=PATIENCE_MS)
    await expect(chat.field).to_be_focused()
    await tab_to(page, chat.buttons.nth(1))
    label = await chat.buttons.nth(1).inner_text()
    await page.keyboard.press("Space")
    await expect(chat.own.last).to_contain_text(label)
    await expect(chat.answers).to_have_count(2, timeout=PATIENCE_MS)
    await expect(chat.field).to_be_focused()
    answer = chat.answers.last
    mark = answer.locator("button.mark").first
    await tab_to(page, mark)
    await page.keyboard.press("Enter")
    await expect(answer.locator(".source-title").first).to_be_visible()
    await expect(mark).to_be_focused()
    thumb = answer.get_by_role("button", name="Helpful", exact=True)
    await tab_to(page, thumb, key="Tab")
    await page.keyboard.press("Space")
    await expect(thumb).to_have_attribute("aria-pressed", "true")
    await expect(answer.locator(".thanks")).to_have_text("Thank you")
    await page.keyboard.press("Escape")
    await expect(chat.panel).to_have_count(0)
    await expect(chat.launcher).to_be_focused()


async def test_the_menu_is_walked_by_keyboard_and_gives_the_focus_back(page: Page, bank: Server) -> None:
    chat = await Chat.visit(page, bank)
    await chat.launcher.press("Enter")
    opener = page.locator(".menu > .icon")
    await tab_to(page, opener)
    await page.keyboard.press("Enter")
    await tab_to(page, page.get_by_role("button", name="New conversation"), key="Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator(".primary")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(opener).to_be_focused()
    await expect(chat.panel).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(chat.launcher).to_be_focused()


async def test_on_a_phone_the_focus_stays_in_the_sheet(page: Page, bank: Server) -> None:
    await page.set_viewport_size(NARROW)
    chat = await Chat.visit(page, bank)
    await chat.launcher.press("Enter")
    await expect(chat.panel).to_have_attribute("aria-modal", "true")
    for key in ("Tab", "Shift+Tab"):
        for _ in range(STOPS // 2):
            await page.keyboard.press(key)
            assert await chat.panel.evaluate("(panel) => panel.contains(panel.getRootNode().activeElement)")


async def test_news_is_read_aloud_once_and_history_is_not(page: Page, bank: Server) -> None:
    wire = await Wire.tap(page)
    chat = await Chat.visit(page, bank)
    await chat.open()
    spoken = page.locator(".root > .sr[aria-live=polite]")
    wire.hold("final")
    await chat.say("my debit card got stolen, how can i report it?")
    await expect(chat.growing).to_have_attribute("aria-live", "off", timeout=PATIENCE_MS)
    await expect(spoken).to_be_empty()
    wire.release()
    await expect(spoken).to_contain_text("Lanting Bank Assistant: ")
    await page.reload()
    await expect(chat.answers).to_have_count(1)
    await expect(chat.log).to_have_attribute("aria-live", "polite")
    await expect(spoken).to_be_empty()


@pytest.mark.parametrize("reduced", [False, True])
async def test_whoever_asks_for_less_movement_gets_none(page: Page, bank: Server, reduced: bool) -> None:
    await page.emulate_media(reduced_motion="reduce" if reduced else "no-preference")
    wire = await Wire.tap(page)
    chat = await Chat.visit(page, bank)
    await chat.open()
    # It is online before it is welcomed, and a welcome takes back that anybody is writing.
    await wire.until(lambda: any(frame["type"] == "welcome" for frame in wire.heard))
    wire.tell(type="typing", on=True)
    await expect(page.locator(".typing")).to_be_visible()
    running = await page.locator(".root").evaluate(MOVING)
    assert (running == 0) is reduced
