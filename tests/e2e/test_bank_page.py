"""The example bank's page with the widget on it, as visitors meet it."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import Page, expect

from tests.e2e.chat import PATIENCE_MS, Chat, seen
from tests.integration.server.process import Server

AMBIGUOUS = ("my loan", "whats the interest rate?", "how do i cancel", "利率", "提前还款", "密码忘了")


async def test_an_answer_in_other_words_is_shown_as_it_comes(page: Page, bank: Server) -> None:
    kinds: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: kinds.append(kind(data))))
    chat = await Chat.visit(page, bank)
    await chat.open()
    answer = await chat.ask("my debit card got stolen, how can i report it?")
    await expect(answer).to_contain_text("Freeze")
    await expect(answer.get_by_role("button", name="1 source")).to_be_visible()
    assert "delta" in kinds
    assert kinds.index("delta") < len(kinds) - 1 - kinds[::-1].index("final")


def kind(frame: str | bytes) -> str:
    return str(json.loads(frame)["type"])


@pytest.mark.parametrize(
    ("lang", "button", "state"), [("en", "Talk to a person", "Waiting"), ("zh", "转人工", "正在为您转接")]
)
async def test_the_way_to_a_person_is_one_press_away(
    page: Page, bank: Server, lang: str, button: str, state: str
) -> None:
    chat = await Chat.visit(page, bank, lang=lang)
    await chat.open()
    await chat.panel.get_by_role("button", name=button).click()
    await expect(chat.status).to_contain_text(state, timeout=PATIENCE_MS)
    await expect(chat.answers).to_have_count(1)


async def test_a_suggestion_is_one_press_and_one_answer(page: Page, bank: Server) -> None:
    chat = await Chat.visit(page, bank)
    await chat.open()
    await page.locator(".suggestions button").first.click()
    await expect(chat.answers).to_have_count(1)
    await expect(page.locator(".suggestions")).to_have_count(0)


async def test_an_ambiguous_question_offers_buttons_and_a_press_is_answered(page: Page, bank: Server) -> None:
    chat = await Chat.visit(page, bank)
    await chat.open()
    for question in AMBIGUOUS:
        await chat.ask(question)
        if await chat.buttons.count() >= 3:
            break
    labels = await chat.buttons.all_inner_texts()
    assert len(labels) >= 3, "none of these is ambiguous to the bot"
    before = await chat.answers.count()
    await chat.buttons.first.click()
    await expect(chat.answers).to_have_count(before + 1)
    await expect(chat.own.last).to_contain_text(labels[0])
    await expect(chat.answers.last.get_by_role("button", name="1 source")).to_be_visible()
    await expect(chat.buttons).to_have_count(0)


async def test_a_reload_shows_the_same_conversation_and_goes_on(page: Page, bank: Server) -> None:
    chat = await Chat.visit(page, bank)
    await chat.open()
    told = await seen(await chat.ask("When are the branches open?"))
    await page.reload()
    await expect(chat.panel).to_be_visible()
    await expect(chat.answers).to_have_count(1)
    assert await seen(chat.answers.first) == told
    await expect(chat.own).to_have_count(1)
    await chat.ask("Are branches open on public holidays?")
    await expect(chat.answers).to_have_count(2)
    await expect(chat.own).to_have_count(2)
    assert chat.complaints == []
