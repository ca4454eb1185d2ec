"""Pages of other people's that carry the widget, served under the server's own address."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import Page, Route

from tests.e2e.chat import Chat
from tests.integration.server.process import Server

BODY = """
<h1>Our shop</h1><p>Some words, <a href="#x">a link</a>, <button id="own">our button</button>.</p>
<ul><li>One</li></ul><label>Name <input value="Li"></label><textarea>Ours</textarea><ol><li>1</li></ol>
"""
HOSTILE = """
* { all: unset !important; display: revert !important; font: 700 40px/3 serif !important; color: red !important;
    letter-spacing: 9px !important; text-transform: uppercase !important; direction: rtl !important;
    unicode-bidi: bidi-override !important; text-align: right !important; word-spacing: 2em !important;
    visibility: visible !important; --paper: red; --ink: red; --fill: red; --font: serif }
html { font-size: 200px !important; line-height: 4 !important; filter: none; cursor: wait !important }
body { transform: translateX(300px) !important; overflow: hidden !important; zoom: 1 }
body > * { opacity: 0.2 !important; pointer-events: none !important; position: static !important; margin: 90px }
button, svg, textarea, form { display: none !important }
kefu-chat { display: none !important; width: 1px !important; height: 1px !important; z-index: -1 !important;
    clip-path: inset(50%) !important; transform: scale(3) !important; inset: 0 !important }
.root, .panel, .launcher, .bubble, #panel { display: none !important; background: red !important }
.war { all: initial !important; position: fixed !important; inset: 0 !important; z-index: 2147483647 !important;
    background: white !important; opacity: 1 !important; pointer-events: auto !important }
"""
"""Resets with !important, huge letters, right to left, a wall over everything, and rules for the widget's own names."""


@dataclass(frozen=True)
class Host:
    """`policy` is its Content-Security-Policy; "{server}" stands for the server's address in both."""

    style: str = ""
    policy: str = ""
    script: str = '<script src="/widget/kefu.js" data-lang="en" data-theme="light" async></script>'
    after: str = ""
    """What the page puts behind the widget."""

    async def visit(self, page: Page, server: Server) -> Chat:
        style = '<link rel="stylesheet" href="/host.css">' if self.style else ""
        html = f"<!doctype html><html lang=en><title>Shop</title>{style}<body>{BODY}{self.script}"
        headers = {"Content-Security-Policy": self.policy.replace("{server}", server.url)}

        async def serve(route: Route) -> None:
            await route.fulfill(
                body=html.replace("{server}", server.url),
                content_type="text/html; charset=utf-8",
                headers=headers if self.policy else {},
            )

        async def dress(route: Route) -> None:
            await route.fulfill(body=self.style, content_type="text/css")

        # Chromium takes a page that a test has made for one from the internet, which may not talk to this machine.
        await page.context.grant_permissions(["local-network-access"])
        await page.route("**/host", serve)
        await page.route("**/host.css", dress)
        chat = Chat(page, server, "en")
        await page.goto(f"{server.url}/host")
        if self.after:
            await page.evaluate("(html) => document.body.insertAdjacentHTML('beforeend', html)", self.after)
        return chat
