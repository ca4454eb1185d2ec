"""Every HTTP answer: one shape for errors, one set of headers."""

from __future__ import annotations

from html import escape

import pytest
from aiohttp import ClientSession

from bot.api.site import CSP
from tests.integration.server.process import Server

PATHS = (
    ("GET", "/", 200),
    ("GET", "/base.css", 200),
    ("GET", "/plain.css", 200),
    ("GET", "/widget/kefu.js", 200),
    ("GET", "/channels/web/ws", 403),
    ("GET", "/nowhere", 404),
    ("GET", "/widget/nothing.js", 404),
    ("GET", "/widget/..%2f..%2fpackage.json", 404),
    ("GET", "/widget/%00", 404),
    ("GET", "/widget/" + "x" * 5_000, 404),
    ("GET", "/channels/other/ws", 404),
    ("POST", "/", 405),
    ("POST", "/channels/web/ws", 405),
)


@pytest.mark.parametrize(("method", "path", "status"), PATHS)
async def test_headers_guard_every_answer_and_errors_have_one_shape(
    server: Server, method: str, path: str, status: int
) -> None:
    async with ClientSession() as session, session.request(method, server.url + path) as answer:
        assert answer.status == status
        assert answer.headers["Content-Security-Policy"] == CSP
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        if status >= 400:
            assert set(await answer.json()) == {"error"}
            assert {"code", "message"} <= set((await answer.json())["error"])


async def test_a_bot_without_pages_has_one_that_says_how_to_embed_it(server: Server) -> None:
    async with ClientSession() as session, session.get(server.url) as answer:
        page = await answer.text()
    line = f'<script src="{server.url}/widget/kefu.js" data-channel="web" async></script>'
    assert f"<code>{escape(line)}</code>" in page
    assert "<h1>橡果商店客服</h1>" in page
    assert "$" not in page


async def test_a_browser_asks_for_the_widget_each_time_and_gets_it_once(server: Server) -> None:
    url = f"{server.url}/widget/kefu.js"
    async with ClientSession() as session:
        async with session.get(url) as answer:
            assert answer.headers["Cache-Control"] == "no-cache"
            assert "javascript" in answer.content_type
            known = answer.headers["ETag"]
        async with session.get(url, headers={"If-None-Match": known}) as answer:
            assert answer.status == 304


async def test_a_405_says_what_is_allowed(server: Server) -> None:
    async with ClientSession() as session, session.post(server.url) as answer:
        assert set(answer.headers["Allow"].split(",")) == {"GET", "HEAD"}


async def test_the_upgrade_carries_the_policy_too(server: Server) -> None:
    async with server.socket() as page:
        assert page.socket._response.headers["Content-Security-Policy"] == CSP
