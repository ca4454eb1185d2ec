"""The source of an answer opens: from the chat to the passage in its document."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.chat import AXE, NARROW, RULES, SHOTS, WIDE, Chat
from tests.integration.server.process import Server, kefu
from tests.tiny import letters

DOCUMENT = {
    "en": "# Returns policy\n\n## Refunds of shoes\n\n"
    + "Shoes are taken back within 40 days.\n\nThey are <b>unworn</b> & in their box.\n\n"
    + "\n\n".join(
        f"Step {n}: write the number of the order on the parcel and keep the slip." for n in range(9)
    ),
    "zh": "# 退货规则\n\n## 鞋类退款\n\n鞋子在40天内可以退货。\n\n## 运费\n\n运费由我们承担。\n",
}
HEADING = {"en": "Refunds of shoes", "zh": "鞋类退款"}
WORDS = {
    "en": ("Read the full text", "The answer cites this", "Shoes are taken back within 40 days."),
    "zh": ("查看原文", "回答引用了这一段", "鞋子在40天内可以退货。"),
}


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A bot whose encoder is made in milliseconds: what is asked here is a heading word for word."""
    folder = tmp_path_factory.mktemp("documents")
    assert kefu("init", folder / "shop").returncode == 0
    for lang, text in DOCUMENT.items():
        (folder / "shop" / "knowledge" / f"returns.{lang}.md").write_text(text, encoding="utf-8")
    cache = folder / "cache"
    server = Server(folder / "shop", folder / "home", cache=str(cache), encoder=letters(cache))
    server.start()
    yield server
    assert server.stop() == 0


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_a_cited_document_opens_at_its_passage(browser: Browser, documents: Server, lang: str) -> None:
    link, cited, words = WORDS[lang]
    context = await browser.new_context(locale={"en": "en-GB", "zh": "zh-CN"}[lang])
    page = await context.new_page()
    chat = await Chat.visit(page, documents, lang=lang)
    await page.evaluate("(lang) => Kefu.setLanguage(lang)", lang)
    await chat.open()
    answer = await chat.ask(HEADING[lang])
    await expect(answer).to_contain_text(words)
    await answer.locator("button.quiet[aria-expanded]").first.click()
    async with context.expect_page() as opening:
        await answer.get_by_role("link", name=link).click()
    source = await opening.value
    await expect(source.get_by_role("heading", name=HEADING[lang])).to_be_visible()
    await expect(source.locator("section.cited")).to_contain_text(words)
    await expect(source.locator("section.cited h2")).to_have_text(cited)
    assert await source.locator("b, script").count() == 0
    if lang == "en":
        await expect(source.locator("section:not(.cited)").first).to_contain_text("keep the slip")
    await source.evaluate(AXE.read_text(encoding="utf-8"))
    for size in (NARROW, WIDE):
        await source.set_viewport_size(size)
        found = await source.evaluate("(rules) => axe.run(document, rules)", RULES)
        assert [broken["id"] for broken in found["violations"]] == []
        assert await source.evaluate("document.documentElement.scrollWidth <= innerWidth")
    SHOTS.mkdir(exist_ok=True)
    await source.screenshot(path=SHOTS / f"source-{lang}.png")
    assert chat.complaints == []
    await context.close()
