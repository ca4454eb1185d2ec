"""The widget on pages whose styles and policies are not made for it."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import Page, expect

from tests.e2e.chat import NARROW, Chat
from tests.e2e.hosts import HOSTILE, Host
from tests.integration.server.process import Server

QUESTION = "When are the branches open?"
STRICT = (
    "default-src 'none'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'; "
)
POLICIES = {
    "own origin": Host(policy=STRICT + "script-src 'self'"),
    "host only": Host(policy=STRICT + "script-src {server}"),
    "nonce only": Host(
        policy=STRICT + "script-src 'nonce-r4nd0m'",
        script='<script nonce="r4nd0m" src="/widget/kefu.js" data-lang="en" async></script>',
    ),
}
LISTEN = """
window.broken = [];
addEventListener("securitypolicyviolation", (e) => broken.push(`${e.effectiveDirective} ${e.blockedURI}`));
"""
LOOKS = """() => [...document.querySelectorAll("body, body :not(kefu-chat, script, .war)")].map((element) => {
  const style = getComputedStyle(element);
  return [element.localName, ...[...style].map((name) => `${name}: ${style.getPropertyValue(name)}`)];
})"""
WIDGET_LOOKS = """() => [...document.querySelector("kefu-chat").shadowRoot.querySelectorAll(".root, .root *")]
  .map((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    const names = [...style].filter((name) => !name.startsWith("--"));
    return [element.localName, element.className.baseVal ?? element.className, [x, y, width, height].map(Math.round),
      names.map((name) => `${name}: ${style.getPropertyValue(name)}`)];
  })"""


async def opened(page: Page, server: Server, host: Host) -> Chat:
    await page.emulate_media(reduced_motion="reduce")
    chat = await host.visit(page, server)
    await chat.open()
    await expect(page.locator(".suggestions")).to_be_visible()
    await expect(chat.status).to_contain_text("Online")
    await page.mouse.move(0, 0)
    return chat


async def test_hostile_styles_change_nothing_of_the_widget(page: Page, bank: Server) -> None:
    """Every element's place and computed style, and its picture, are those it has on a page without styles."""
    calm = await opened(page, bank, Host())
    looks = await page.evaluate(WIDGET_LOOKS)
    picture = await calm.panel.screenshot(animations="disabled")
    await page.evaluate("Kefu.end()")
    await page.goto("about:blank")
    chat = await opened(page, bank, Host(style=HOSTILE, after='<div class="war"></div>'))
    assert differences(looks, await page.evaluate(WIDGET_LOOKS)) == []
    assert await chat.panel.screenshot(animations="disabled") == picture
    await chat.shot("hostile-page")
    answer = await chat.ask(QUESTION)
    await answer.locator(".meta > button").click()
    await expect(answer.locator(".source")).to_be_visible()
    await page.set_viewport_size(NARROW)
    assert await chat.violations(within="document.querySelector('kefu-chat')") == []
    box = await chat.panel.bounding_box()
    assert box == {"x": 0, "y": 0, "width": NARROW["width"], "height": NARROW["height"]}
    assert chat.complaints == []


def differences(before: list[object], after: list[object]) -> list[tuple[object, object]]:
    return [(old, new) for old, new in zip(before, after, strict=True) if old != new][:3]


@pytest.mark.parametrize("style", ["", HOSTILE], ids=["plain", "hostile"])
async def test_the_widget_changes_nothing_of_the_page(page: Page, bank: Server, style: str) -> None:
    without = Host(style=style, script="<kefu-chat></kefu-chat><p class='launcher'>Its names are ours</p>")
    chat = await without.visit(page, bank)
    before = await page.evaluate(LOOKS)
    await page.evaluate(
        "() => { const s = document.createElement('script'); s.src = '/widget/kefu.js'; document.head.append(s); }"
    )
    await page.locator("kefu-chat .root > .launcher").click()
    await expect(chat.panel).to_be_visible()
    assert await page.evaluate(LOOKS) == before


@pytest.mark.parametrize("host", POLICIES.values(), ids=POLICIES.keys())
async def test_the_strictest_policy_is_not_broken_once(page: Page, bank: Server, host: Host) -> None:
    await page.add_init_script(LISTEN)
    chat = await opened(page, bank, host)
    answer = await chat.ask(QUESTION)
    await answer.locator(".meta > button").click()
    await answer.locator(".thumb").first.click()
    await expect(answer.locator(".thanks")).not_to_be_empty()
    await page.set_viewport_size(NARROW)
    await chat.field.fill("One\nTwo\nThree")
    async with page.expect_download() as download:
        await page.locator(".menu > .icon").click()
        await page.get_by_role("button", name="Save transcript").click()
    assert (await (await download.value).path()).stat().st_size > 0
    await page.evaluate("Kefu.setLanguage('zh')")
    await expect(page.get_by_label("请输入您的问题")).to_be_visible()
    await page.reload()
    await expect(page.locator(".launcher, .panel").first).to_be_visible()
    assert (await page.evaluate("broken"), chat.complaints) == ([], [])


async def test_a_modal_dialog_of_the_page_still_covers_the_chat(page: Page, bank: Server) -> None:
    chat = await opened(page, bank, Host(after="<dialog><button id=ok>OK</button></dialog>"))
    await page.evaluate("document.querySelector('dialog').showModal()")
    await expect(page.locator("#ok")).to_be_focused()
    await page.keyboard.press("Tab")
    assert "textarea" not in json.dumps(await page.evaluate("document.activeElement.localName"))
    await page.locator("#ok").click()
    await page.evaluate("document.querySelector('dialog').close()")
    await chat.field.click()
    await expect(chat.field).to_be_focused()
