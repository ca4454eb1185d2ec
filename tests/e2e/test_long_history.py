"""Three hundred messages: the page stays small, a resume reads what is missing, and reading up does not jump."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, StorageState, expect

from tests.e2e.chat import PATIENCE_MS, Chat
from tests.e2e.wire import Wire
from tests.integration.server.process import Server

MESSAGES, KEPT = 300, 200
"""Said, and kept in the browser."""
PAGE = 50
"""Messages drawn at once; twice as many before the oldest go again (web/widget/view/window.ts)."""
ELEMENTS = 1_500
"""Of the whole widget, whatever its history: a hundred messages drawn. Undrawn, 300 would be 2,400."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def said(browser: Browser, bank: Server) -> StorageState:
    """A browser's storage in which three hundred messages were said while the chat stood open."""
    context = await browser.new_context(locale="en-GB")
    chat = await Chat.visit(await context.new_page(), bank)
    await chat.open()
    await chat.ask("thanks")
    async with bank.page(token=await chat.token(), last_seq=2) as other:
        for number in range(4, MESSAGES + 1, 2):
            await other.send("message", id=f"m{number}", text=f"thanks, {number}")
            await other.until("final", seq=number)
    await expect(chat.own.last).to_contain_text(f"thanks, {MESSAGES}", timeout=PATIENCE_MS)
    await expect(chat.page.locator("li.row.own + li.row.bot").last).to_be_visible()
    assert await rows(chat.page).count() <= 2 * PAGE
    assert await elements(chat) <= ELEMENTS
    await chat.page.reload()
    assert (await chat.saved())["lastSeq"] == MESSAGES
    state = await context.storage_state()
    await context.close()
    return state


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, said: StorageState) -> AsyncIterator[Page]:
    # A panel that still rises has its rows in different places from one moment to the next.
    context = await browser.new_context(locale="en-GB", storage_state=said, reduced_motion="reduce")
    yield await context.new_page()
    await context.close()


def rows(page: Page) -> Locator:
    return page.locator("li.row")


async def elements(chat: Chat) -> int:
    return int(await chat.log.evaluate("(log) => log.getRootNode().querySelectorAll('*').length"))


async def scroll(chat: Chat, top: int) -> None:
    await chat.log.evaluate("(log, top) => { log.scrollTop = top; }", top)


async def place(chat: Chat, row: Locator) -> float:
    """Pixels from the top of the log to the row's."""
    box, log = await row.bounding_box(), await chat.log.bounding_box()
    assert box is not None
    assert log is not None
    return box["y"] - log["y"]


async def arrive(page: Page, bank: Server) -> Chat:
    chat = await Chat.visit(page, bank)
    await chat.open()
    await expect(chat.log).to_have_attribute("aria-live", "polite")  # history is told: now news is
    return chat


async def test_a_resume_reads_only_what_is_missing(page: Page, bank: Server) -> None:
    wire = await Wire.tap(page)
    chat = await arrive(page, bank)
    assert (wire.hellos(), wire.finals()) == ([MESSAGES], [])
    assert await rows(page).count() <= 2 * PAGE
    token = await chat.token()
    await page.goto("about:blank")
    async with bank.page(token=token, last_seq=MESSAGES) as other:
        await other.send("message", id="while-away", text="thanks, while away")
        await other.until("final", role="bot")
    await Chat.visit(page, bank)
    await expect(chat.panel).to_be_visible()  # it was open
    await expect(chat.own.last).to_contain_text("while away")
    await expect(page.locator("li.row.bot").last).to_be_visible()
    assert (wire.hellos(), wire.finals()) == ([MESSAGES] * 2, [MESSAGES + 1, MESSAGES + 2])


async def test_reading_up_keeps_its_place_and_comes_to_the_first_message(page: Page, bank: Server) -> None:
    wire = await Wire.tap(page)
    chat = await arrive(page, bank)
    have = wire.heard[0]["seq"]
    later = list(range(MESSAGES + 1, have + 1))
    drawn = await rows(page).count()
    while drawn + PAGE <= KEPT + len(later):
        before = await place(chat, rows(page).nth(1)) + await chat.log.evaluate("(log) => log.scrollTop")
        await scroll(chat, 100)
        await expect(rows(page)).to_have_count(drawn + PAGE)
        assert abs(await place(chat, rows(page).nth(1 + PAGE)) - (before - 100)) <= 2
        drawn += PAGE
    await scroll(chat, 0)
    while await rows(page).count() < have + 1:  # the greeting too
        await page.locator(".earlier").evaluate_all("(buttons) => buttons.forEach((b) => b.click())")
    await expect(rows(page)).to_have_count(have + 1)
    assert wire.hellos() == [MESSAGES, 0]
    await wire.until(
        lambda: wire.finals()[-1] == have
    )  # the page has the newest ones without being told again
    assert wire.finals() == [*later, *range(1, have + 1)]
    assert chat.complaints == []


async def test_what_comes_while_somebody_reads_further_up_moves_nothing_and_is_one_press_away(
    page: Page, bank: Server
) -> None:
    chat = await arrive(page, bank)
    drawn = await rows(page).count()
    await scroll(chat, 100)
    await expect(rows(page)).to_have_count(drawn + PAGE)
    row = rows(page).nth(PAGE)
    before = await place(chat, row)
    async with bank.page(token=await chat.token(), last_seq=MESSAGES) as other:
        await other.send("message", id="meanwhile", text="thanks")
        await other.until("final", role="bot")
    jump = page.locator(".jump")
    await expect(jump).to_be_visible()
    assert abs(await place(chat, row) - before) <= 2
    await jump.press("Enter")
    await expect(jump).to_have_count(0)
    await expect(rows(page).last).to_be_in_viewport()
    assert await rows(page).count() <= 2 * PAGE
    assert await elements(chat) <= ELEMENTS
