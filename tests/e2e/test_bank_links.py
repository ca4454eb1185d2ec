"""The widget when the server goes away, the network fails, or a message is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Page, expect

from tests.e2e.chat import PATIENCE_MS, Chat
from tests.e2e.wire import Wire
from tests.integration.server.process import Server

HOURS, HOLIDAYS = "When are the branches open?", "Are branches open on public holidays?"


@asynccontextmanager
async def stopped(server: Server) -> AsyncIterator[None]:
    """Meanwhile the browser goes on; afterwards the server is there again for whoever comes next."""
    assert await asyncio.to_thread(server.stop) == 0
    try:
        yield
    finally:
        await asyncio.to_thread(server.start)


async def test_what_is_written_while_the_server_restarts_is_answered_by_the_next(
    page: Page, bank: Server
) -> None:
    chat = await Chat.visit(page, bank)
    await chat.open()
    await chat.ask(HOURS)
    async with stopped(bank):
        await expect(page.locator(".dot.reconnecting, .dot.offline")).to_be_visible()
        await chat.say(HOLIDAYS)
        await chat.say("And how do I reach you on a Sunday?")
        await expect(chat.own.nth(1)).to_contain_text("Will be sent when you are back online")
    await expect(chat.status).to_contain_text("Online", timeout=60_000)
    await expect(chat.answers).to_have_count(3, timeout=PATIENCE_MS)
    await expect(chat.answers.nth(1)).to_contain_text("public holidays")
    await expect(chat.own).to_have_count(3)
    await expect(page.locator(".delivery.read")).to_have_count(3)


async def test_offline_a_message_waits_and_goes_out_once_by_itself(page: Page, bank: Server) -> None:
    chat = await Chat.visit(page, bank)
    await chat.open()
    await chat.ask(HOURS)
    await page.context.set_offline(True)
    await expect(chat.status).to_contain_text("No connection", timeout=PATIENCE_MS)
    await chat.say(HOLIDAYS)
    await expect(chat.own.last).to_contain_text("Will be sent when you are back online")
    await page.context.set_offline(False)
    await expect(chat.answers).to_have_count(2, timeout=PATIENCE_MS)
    await expect(chat.own).to_have_count(2)


async def test_a_refused_message_is_sent_again_by_one_click(page: Page, bank: Server) -> None:
    wire = await Wire.tap(page)
    wire.refuse("unforeseen")
    chat = await Chat.visit(page, bank)
    await chat.open()
    await chat.say(HOURS)
    await expect(chat.own.last).to_contain_text("Not sent")
    await chat.own.last.get_by_role("button", name=chat.words["retry"]).click()
    await expect(chat.answers).to_have_count(1, timeout=PATIENCE_MS)
    await expect(chat.own).to_have_count(1)
    await expect(chat.own).not_to_contain_text("Not sent")
