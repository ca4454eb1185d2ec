"""Reloads and several tabs: nothing is lost, nothing comes twice, and every tab shows the same."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.e2e.chat import PATIENCE_MS, Chat, seen
from tests.e2e.wire import Wire
from tests.integration.server.process import Server

STREAMED = "my debit card got stolen, how can i report it?"
HOURS, HOLIDAYS = "When are the branches open?", "Are branches open on public holidays?"


async def stored(chat: Chat) -> list[tuple[int, str]]:
    """(seq, role) of all that the server has of the conversation."""
    async with chat.server.page(token=await chat.token()) as other:
        await other.until("final", seq=other.welcome["seq"])
        return [(frame["seq"], frame["role"]) for frame in other.seen if frame["type"] == "final"]


async def test_a_reload_while_text_streams_loses_and_doubles_nothing(page: Page, bank: Server) -> None:
    wire = await Wire.tap(page)
    chat = await Chat.visit(page, bank)
    await chat.open()
    wire.hold("final")
    await chat.say(STREAMED)
    await expect(chat.growing).to_be_visible(timeout=PATIENCE_MS)
    await page.reload()
    wire.release()
    await expect(chat.answers).to_have_count(1, timeout=PATIENCE_MS)
    await expect(chat.answers).to_contain_text("Freeze")
    await expect(chat.answers.get_by_role("button", name="1 source")).to_be_visible()
    await expect(chat.growing).to_have_count(0)
    await expect(chat.own).to_have_count(1)
    await chat.ask(HOURS)
    await expect(page.locator("li.row")).to_have_count(5)  # the greeting too
    assert await stored(chat) == [(1, "customer"), (2, "bot"), (3, "customer"), (4, "bot")]


async def test_a_reload_before_a_message_is_acknowledged_sends_it_once_more_and_stores_it_once(
    page: Page, bank: Server
) -> None:
    wire = await Wire.tap(page)
    chat = await Chat.visit(page, bank)
    await chat.open()
    await chat.ask(HOURS)
    wire.hold("accepted", "final", "read", "delta", "typing")
    await chat.say(HOLIDAYS)
    await expect(chat.own.last.locator(".delivery")).to_have_attribute("title", "Sending")
    await page.reload()
    wire.release()
    await expect(chat.answers).to_have_count(2, timeout=PATIENCE_MS)
    await expect(chat.own).to_have_count(2)
    await expect(page.locator(".delivery.read")).to_have_count(2)
    assert await stored(chat) == [(1, "customer"), (2, "bot"), (3, "customer"), (4, "bot")]


async def test_a_reload_in_the_middle_of_an_answer_says_that_it_is_being_written(
    page: Page, bank: Server
) -> None:
    wire = await Wire.tap(page)
    chat = await Chat.visit(page, bank)
    await chat.open()
    await chat.ask(HOURS)
    draft = "A letter typed and not sent"
    await chat.field.fill(draft)
    wire.tell(type="delta", turn="t", attempt=0, text="Half a sent")
    await expect(chat.growing).to_contain_text("Half a sent")
    await page.reload()
    await expect(chat.answers).to_have_count(1)
    await expect(chat.growing).to_have_count(0)
    await expect(chat.field).to_have_value(draft)


async def test_two_tabs_show_the_same_conversation_and_the_same_votes(page: Page, bank: Server) -> None:
    first = await Chat.visit(page, bank)
    await first.open()
    told = await seen(await first.ask(HOURS))
    second = await Chat.visit(await page.context.new_page(), bank)
    await expect(second.launcher).not_to_contain_text("unread")
    await second.open()
    await expect(second.answers).to_have_count(1)
    assert await seen(second.answers.first) == told
    await second.ask(HOLIDAYS)
    await expect(first.answers).to_have_count(2)
    await expect(first.own).to_have_count(2)
    await first.answers.last.get_by_role("button", name="Helpful", exact=True).click()
    await expect(second.answers.last.locator(".thumb").first).to_have_attribute("aria-pressed", "true")
    assert first.complaints + second.complaints == []


async def test_a_closed_tab_is_unread_until_another_has_shown_it(page: Page, bank: Server) -> None:
    first = await Chat.visit(page, bank)
    await first.open()
    await first.ask(HOURS)
    second = await Chat.visit(await page.context.new_page(), bank)
    await first.page.locator(".head > .icon").click()
    await first.page.evaluate("Kefu.close()")
    async with bank.page(token=await first.token(), last_seq=2) as phone:
        await phone.send("message", id="from-another-device", text=HOLIDAYS)
        await phone.until("final", role="bot")
    await expect(second.page.locator(".badge")).to_contain_text("1")
    await expect(second.page.locator(".peek")).to_contain_text("public holidays")
    await second.open()
    await expect(first.page.locator(".badge")).to_have_count(0)
    await expect(first.page.locator(".peek")).to_have_count(0)


async def test_a_new_conversation_is_everywhere_and_the_earlier_one_can_be_gone_on_with(
    page: Page, bank: Server
) -> None:
    first = await Chat.visit(page, bank)
    await first.open()
    await first.ask(HOURS)
    second = await Chat.visit(await page.context.new_page(), bank)
    await second.open()
    await expect(second.answers).to_have_count(1)
    await menu(first, "New conversation")
    await first.page.get_by_role("button", name="Start new").click()
    await expect(first.own).to_have_count(0)
    await expect(first.status).to_contain_text("Online")
    await expect(second.own).to_have_count(0)
    await first.ask(HOLIDAYS)
    await expect(second.answers).to_have_count(1)
    await menu(first, "Earlier conversations")
    assert await first.violations(within="document.querySelector('kefu-chat')") == []
    await page.get_by_role("button", name=HOURS).click()
    await expect(first.own).to_contain_text(HOURS)
    await expect(second.own).to_contain_text(HOURS)
    await first.ask(HOLIDAYS)
    await expect(second.answers).to_have_count(2)
    await menu(second, "End and clear")
    await second.page.get_by_role("button", name="End and clear").click()
    await expect(first.own).to_have_count(0)
    assert await page.evaluate("Object.keys(localStorage)") == []
    assert first.complaints + second.complaints == []


async def test_a_transcript_is_a_file_with_all_that_was_said(page: Page, bank: Server) -> None:
    chat = await Chat.visit(page, bank, lang="zh")
    await chat.open()
    told = await seen(await chat.ask("网点几点开门，几点关门？"))
    async with page.expect_download() as coming:
        await menu(chat, "下载聊天记录")
    saved = await coming.value
    assert saved.suggested_filename.endswith(".txt")
    text = (await saved.path()).read_text(encoding="utf-8")
    assert "您：网点几点开门，几点关门？" in text
    assert told.split("：", 1)[-1].replace(" 1", "")[:20] in text
    assert chat.complaints == []


async def menu(chat: Chat, item: str) -> None:
    await chat.page.bring_to_front()  # a tab behind another is not drawn, and so not clicked
    await chat.page.locator(".menu > .icon").click()
    await chat.page.get_by_role("button", name=item, exact=True).click()
